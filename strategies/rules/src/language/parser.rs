use super::check::Type;
use super::function::{Constant, Function, Input, MAX_WIDTH};
use super::lexer::{Kind, Lexer, Token};
use super::names::nearest;
use super::node::{Call, Constants, Cross, Expression, Node, Operator, Place, Series, tightness};
use super::problem::{Problem, quoted};
use super::{MAX_BARS, MAX_DEPTH, MAX_LENGTH, MAX_NODES};

impl Expression {
    /// Reads a condition.
    ///
    /// # Errors
    /// The first [`Problem`]: what was expected, what has which type, or which limit it goes over.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_LENGTH {
            let message = format!("{} bytes are too many; at most {MAX_LENGTH} are taken", text.len());
            return Err(Problem::at(text, text.floor_char_boundary(MAX_LENGTH), message));
        }
        Parser::new(text)?.whole()
    }
}

/// A part that was read, with the bytes it stands in.
struct Operand {
    place: Place,
    start: usize,
    end: usize,
}

/// Recursive descent, with one function for all operators (Pratt 1973).
struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    token: Token<'a>,
    /// The one before.
    last: Token<'a>,
    nodes: Vec<Node>,
    /// Bars that each of them needs.
    needs: Vec<u32>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Problem> {
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        let last = Token { kind: Kind::End, text: "", start: 0 };
        Ok(Self { text, lexer, token, last, nodes: Vec::new(), needs: Vec::new(), depth: 0 })
    }

    fn whole(mut self) -> Result<Expression, Problem> {
        let whole = self.expression(tightness::OR, Type::Condition)?;
        if self.token.kind != Kind::End {
            return Err(self.expected("an operator or the end"));
        }
        self.takes("a rule", &whole, Type::Condition)?;
        Ok(Expression { needs: self.needs[whole.place], nodes: self.nodes })
    }

    /// Operators that hold together at least this tightly, and what is between them.
    fn expression(&mut self, least: u8, wanted: Type) -> Result<Operand, Problem> {
        let mut left = self.operand(wanted)?;
        let mut compared = false;
        while let Some(operator) = Operator::named(self.token.text).filter(|operator| operator.tightness() >= least) {
            let compares = matches!(operator, Operator::Compare(_));
            if compares && compared {
                let message = "comparisons do not chain; write `a < b and b < c`".to_owned();
                return Err(Problem::at(self.text, self.token.start, message));
            }
            compared = compares;
            self.takes(operator.name(), &left, operator.takes())?;
            self.deeper()?;
            self.advance()?;
            let right = self.expression(operator.tightness() + 1, operator.takes())?;
            self.depth -= 1;
            self.takes(operator.name(), &right, operator.takes())?;
            left = self.add(operator.node(left.place, right.place), left.start, right.end)?;
        }
        Ok(left)
    }

    fn operand(&mut self, wanted: Type) -> Result<Operand, Problem> {
        let Token { kind, text, start } = self.token;
        let mut operand = match (kind, text) {
            (Kind::Word, "not") => return self.prefixed(Type::Condition, tightness::NOT, Node::Not),
            (Kind::Symbol, "-") => return self.prefixed(Type::Number, tightness::NEGATIVE, Node::Negative),
            (Kind::Number(number), _) => {
                self.advance()?;
                self.add(Node::Number(number), start, self.last.end())?
            }
            (Kind::Symbol, "(") => {
                self.deeper()?;
                self.advance()?;
                let inner = self.expression(tightness::OR, wanted)?;
                self.expect(")", || "an operator or `)`".to_owned())?;
                self.depth -= 1;
                Operand { place: inner.place, start, end: self.last.end() }
            }
            (Kind::Word, name) if Operator::named(name).is_none() => self.named(name)?,
            _ => return Err(self.expected(wanted.name()).with(&format!("; write one such as {}", wanted.example()))),
        };
        while self.token.is("[") {
            operand = self.ago(&operand)?;
        }
        Ok(operand)
    }

    fn prefixed(&mut self, takes: Type, tightness: u8, node: fn(Place) -> Node) -> Result<Operand, Problem> {
        let operator = self.token;
        self.deeper()?;
        self.advance()?;
        let inner = self.expression(tightness, takes)?;
        self.depth -= 1;
        self.takes(operator.text, &inner, takes)?;
        self.add(node(inner.place), operator.start, inner.end)
    }

    fn ago(&mut self, of: &Operand) -> Result<Operand, Problem> {
        if self.nodes[of.place].gives() == Type::Condition {
            let condition = quoted(&self.text[of.start..of.end]);
            let message = format!("{condition} is a condition; `[bars]` takes numbers, as in `close[1] > open[1]`");
            return Err(Problem::at(self.text, of.start, message));
        }
        self.advance()?;
        let Kind::Number(bars) = self.token.kind else { return Err(self.expected("a number of bars")) };
        let bars = self.bars(bars, 0, || "bars ago".to_owned())?;
        self.advance()?;
        self.expect("]", || "`]`".to_owned())?;
        self.add(Node::Ago(of.place, bars), of.start, self.last.end())
    }

    fn named(&mut self, name: &str) -> Result<Operand, Problem> {
        let start = self.token.start;
        let refuse = |message: String| Err(Problem::at(self.text, start, message));
        let series = Series::ALL.into_iter().find(|series| series.name() == name);
        let cross = Cross::ALL.into_iter().find(|cross| cross.name() == name);
        let function = Function::named(name);
        let called = { self.lexer }.next().is_ok_and(|next| next.is("("));
        match (series, cross, function) {
            (Some(_), ..) if called => refuse(format!(
                "`{name}` is a series, not a function; write `{name}`, or `{name}[1]` for the bar before"
            )),
            (Some(series), ..) => {
                self.advance()?;
                self.add(Node::Series(series), start, self.last.end())
            }
            (_, Some(_), _) if !called => refuse(format!("`{name}` is a function; write `{name}(a, b)`")),
            (_, Some(cross), _) => self.cross(cross),
            (.., Some(function)) if !called => refuse(format!("`{name}` is a function; write {}", function.usage())),
            (.., Some(function)) => self.call(function),
            _ => refuse(format!("unknown name {}; the nearest known ones are {}", quoted(name), nearest(name))),
        }
    }

    fn cross(&mut self, cross: Cross) -> Result<Operand, Problem> {
        let start = self.open()?;
        let usage = format!("; write `{}(a, b)`", cross.name());
        let a = self.expression(tightness::OR, Type::Number)?;
        self.takes(cross.name(), &a, Type::Number)?;
        self.expect(",", || "an operator or `,`".to_owned()).map_err(|problem| problem.with(&usage))?;
        let b = self.expression(tightness::OR, Type::Number)?;
        self.takes(cross.name(), &b, Type::Number)?;
        self.close(&usage)?;
        self.add(Node::Cross(cross, a.place, b.place), start, self.last.end())
    }

    fn call(&mut self, function: &'static Function) -> Result<Operand, Problem> {
        let start = self.open()?;
        let usage = format!("; write {}", function.usage());
        let input = match function.input {
            Input::Bars => None,
            Input::NumberOrClose if self.at_constants()? => {
                self.add(Node::Series(Series::Close), start, start)?;
                Some(self.nodes.len() - 1)
            }
            Input::Number | Input::NumberOrClose => Some(self.input(function)?),
        };
        let mut comma = input.is_some() && !self.last.is("(");
        let mut constants = Constants::default();
        for (constant, value) in function.constants.iter().zip(&mut constants) {
            if comma {
                let expected = || format!("`,` and a number for `{}`", constant.name());
                self.expect(",", expected).map_err(|problem| problem.with(&usage))?;
            }
            comma = true;
            *value = self.constant(function, *constant)?;
        }
        self.close(&usage)?;
        self.add(Node::Call(Call { function, input, constants }), start, self.last.end())
    }

    /// Name and opening parenthesis of a function; where it starts.
    fn open(&mut self) -> Result<usize, Problem> {
        let start = self.token.start;
        self.deeper()?;
        self.advance()?;
        self.advance()?;
        Ok(start)
    }

    fn close(&mut self, usage: &str) -> Result<(), Problem> {
        self.depth -= 1;
        self.expect(")", || "`)`".to_owned()).map_err(|problem| problem.with(usage))
    }

    /// Whether the first argument is a constant already, or there is none.
    fn at_constants(&self) -> Result<bool, Problem> {
        let next = { self.lexer }.next()?;
        Ok(self.token.is(")") || matches!(self.token.kind, Kind::Number(_)) && (next.is(",") || next.is(")")))
    }

    fn input(&mut self, function: &Function) -> Result<Place, Problem> {
        let input = self.expression(tightness::OR, Type::Number)?;
        self.takes(function.name, &input, Type::Number)?;
        if let Node::Number(_) = self.nodes[input.place] {
            let constant = quoted(&self.text[input.start..input.end]);
            let usage = function.usage();
            let message = format!("{constant} never changes; write {usage} with a series such as `close` for `x`");
            return Err(Problem::at(self.text, input.start, message));
        }
        Ok(input.place)
    }

    fn constant(&mut self, function: &Function, constant: Constant) -> Result<f64, Problem> {
        let Kind::Number(value) = self.token.kind else {
            let problem = self.expected(&format!("a number for `{}`", constant.name()));
            return Err(problem.with(&format!("; write {}", function.usage())));
        };
        let subject = || format!("`{}` of `{}`", constant.name(), function.name);
        let value = match constant {
            Constant::Bars(_) => f64::from(self.bars(value, 1, subject)?),
            Constant::Width(_) if value > 0.0 && value <= MAX_WIDTH => value,
            Constant::Width(_) => {
                let message = format!("{} must be more than 0 and at most {MAX_WIDTH}", subject());
                return Err(Problem::at(self.text, self.token.start, message));
            }
        };
        self.advance()?;
        Ok(value)
    }

    fn bars(&self, value: f64, least: u32, subject: impl Fn() -> String) -> Result<u32, Problem> {
        if value.fract() == 0.0 && (f64::from(least)..=f64::from(MAX_BARS)).contains(&value) {
            return Ok(value as u32);
        }
        let message = format!("{} must be a whole number from {least} to {MAX_BARS}", subject());
        Err(Problem::at(self.text, self.token.start, message))
    }

    fn add(&mut self, node: Node, start: usize, end: usize) -> Result<Operand, Problem> {
        if self.nodes.len() == MAX_NODES {
            let message = format!("more than {MAX_NODES} numbers, series, functions and operators; make do with fewer");
            return Err(Problem::at(self.text, start, message));
        }
        let needs = node.needs(|place| self.needs[place]);
        if needs > MAX_BARS {
            let part = quoted(&self.text[start..end]);
            let message =
                format!("{part} needs {needs} bars before it means anything, and gets {MAX_BARS}; look at fewer");
            return Err(Problem::at(self.text, start, message));
        }
        self.nodes.push(node);
        self.needs.push(needs);
        Ok(Operand { place: self.nodes.len() - 1, start, end })
    }

    fn advance(&mut self) -> Result<(), Problem> {
        self.last = self.token;
        self.token = self.lexer.next()?;
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!("nested more than {MAX_DEPTH} deep; take some of it out");
        Err(Problem::at(self.text, self.token.start, message))
    }

    fn expect(&mut self, symbol: &str, expected: impl Fn() -> String) -> Result<(), Problem> {
        if self.token.is(symbol) { self.advance() } else { Err(self.expected(&expected())) }
    }

    fn expected(&self, what: &str) -> Problem {
        let after =
            if self.last.kind == Kind::End { String::new() } else { format!(" after {}", quoted(self.last.text)) };
        let found = if self.token.kind == Kind::End { "the end".to_owned() } else { quoted(self.token.text) };
        Problem::at(self.text, self.token.start, format!("expected {what}{after}, found {found}"))
    }

    fn takes(&self, taker: &str, operand: &Operand, takes: Type) -> Result<(), Problem> {
        let gives = self.nodes[operand.place].gives();
        if gives == takes {
            return Ok(());
        }
        let part = quoted(&self.text[operand.start..operand.end]);
        let taker = if taker.contains(' ') { taker.to_owned() } else { format!("`{taker}`") };
        let message =
            format!("{part} is {}, but {taker} takes {}, such as {}", gives.name(), takes.name(), takes.example());
        Err(Problem::at(self.text, operand.start, message))
    }
}
