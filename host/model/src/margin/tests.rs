use super::{Margin, MarginRules, MarginTier};
use crate::{Instrument, InstrumentKind, Money, Price, Qty, Rounding, Specification, notional};
use rust_decimal::Decimal;

fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn perpetual(max_leverage: f64, tiers: &[(f64, f64, f64)]) -> Instrument {
    let tier = |(up_to, maintenance, max_leverage): &(f64, f64, f64)| MarginTier {
        up_to: up_to.is_finite().then_some(*up_to),
        maintenance: *maintenance,
        max_leverage: *max_leverage,
    };
    Instrument {
        symbol: "T".to_owned(),
        venue: "test".to_owned(),
        kind: InstrumentKind::Perpetual,
        base: "T".to_owned(),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 5.0,
        maker_fee: 0.0,
        taker_fee: 0.0,
        max_leverage,
        margin: MarginRules { tiers: tiers.iter().map(tier).collect(), ..MarginRules::default() },
    }
}

fn margin(max_leverage: f64, tiers: &[(f64, f64, f64)]) -> Margin {
    Specification::new(&perpetual(max_leverage, tiers)).unwrap().margin
}

/// BTCUSDT and ETHUSDT as Binance had them when it published its worked examples.
const BTC: [(f64, f64, f64); 5] = [
    (50_000.0, 0.004, 125.0),
    (250_000.0, 0.005, 100.0),
    (1_000_000.0, 0.01, 50.0),
    (5_000_000.0, 0.025, 20.0),
    (20_000_000.0, 0.05, 10.0),
];
const ETH: [(f64, f64, f64); 7] = [
    (10_000.0, 0.005, 100.0),
    (100_000.0, 0.0065, 75.0),
    (500_000.0, 0.01, 50.0),
    (1_000_000.0, 0.02, 25.0),
    (2_000_000.0, 0.05, 10.0),
    (5_000_000.0, 0.1, 5.0),
    (10_000_000.0, 0.125, 4.0),
];

fn price(margin: &Margin, position: &str, entry: &str, wallet: &str) -> Option<Price> {
    let cost = Money(dec(position) * dec(entry));
    margin.liquidation_price(Qty(dec(position)), cost, Money(dec(wallet)))
}

fn cents(price: Option<Price>) -> Decimal {
    price.unwrap().0.round_dp(2)
}

#[test]
fn maintenance_amounts_are_those_that_binance_lists() {
    let amounts = |tiers: &[(f64, f64, f64)]| -> Vec<Decimal> {
        margin(tiers[0].2, tiers).tiers.iter().map(|tier| tier.amount.0.normalize()).collect()
    };
    assert_eq!(amounts(&BTC), ["0", "50", "1300", "16300", "141300"].map(dec));
    assert_eq!(amounts(&ETH), ["0", "15", "365", "5365", "35365", "135365", "260365"].map(dec));
}

/// Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts": a wallet of 1,535,443.01, 3683.979 ETH bought at
/// 1456.84 and 109.488 BTC bought at 32481.98, each isolated with the whole wallet for margin.
#[test]
fn isolated_liquidation_prices_are_those_of_the_example_of_binance() {
    assert_eq!(cents(price(&margin(100.0, &ETH), "3683.979", "1456.84", "1535443.01")), dec("1114.78"));
    assert_eq!(cents(price(&margin(125.0, &BTC), "109.488", "32481.98", "1535443.01")), dec("18778.73"));
}

/// The same two positions under cross margin, with marks of 1335.18 and 31967.27: the maintenance margin of the other one is
/// 71,200.81 or 356,512.51, its loss 56,354.57 or 448,192.89.
#[test]
fn cross_liquidation_prices_are_those_of_the_example_of_binance() {
    let (eth, btc) = (margin(100.0, &ETH), margin(125.0, &BTC));
    let value = |mark: &str, held: &str| notional(Price(dec(mark)), Qty(dec(held)), Rounding::Down).unwrap();
    let (btc_value, eth_value) = (value("31967.27", "109.488"), value("1335.18", "3683.979"));
    assert_eq!(btc.maintenance(btc_value).0.round_dp(5), dec("71200.81144"));
    assert_eq!(eth.maintenance(eth_value).0.round_dp(3), dec("356512.508"));
    let wallet = |others: Money, cost: Decimal, maintenance: Money| {
        (dec("1535443.01") + others.0 - cost - maintenance.0).to_string()
    };
    let beside_eth = wallet(btc_value, dec("109.488") * dec("32481.98"), btc.maintenance(btc_value));
    let beside_btc = wallet(eth_value, dec("3683.979") * dec("1456.84"), eth.maintenance(eth_value));
    assert_eq!(cents(price(&eth, "3683.979", "1456.84", &beside_eth)), dec("1153.26"));
    assert_eq!(cents(price(&btc, "109.488", "32481.98", &beside_btc)), dec("26316.89"));
}

#[test]
fn at_the_liquidation_price_the_balance_is_the_maintenance_margin_and_a_step_before_it_is_more() {
    let margin = margin(100.0, &ETH);
    for (position, entry, wallet) in [
        ("3683.979", "1456.84", "1535443.01"),
        ("-3683.979", "1456.84", "1535443.01"),
        ("0.5", "2000", "100"),
        ("-0.5", "2000", "100"),
        ("-40", "2000", "8000"),
        // The tier at the entry is not the one at the liquidation.
        ("55", "2000", "30000"),
        ("-45", "2000", "40000"),
        ("700", "700", "123456.78901234"),
    ] {
        let (held, cost) = (Qty(dec(position)), dec(position) * dec(entry));
        let at = price(&margin, position, entry, wallet).unwrap();
        let spare = |price: Price| {
            let value = notional(price, held, Rounding::Down).unwrap();
            dec(wallet) + value.0 - cost - margin.maintenance(value).0
        };
        assert!(spare(at).abs() < dec("0.00000003"), "{position} at {at}: {}", spare(at));
        let away = if held.0.is_sign_negative() { -dec("0.0001") } else { dec("0.0001") };
        assert!(spare(Price(at.0 + away)) > Decimal::ZERO, "{position}: not before");
        assert!(spare(Price(at.0 - away)) < Decimal::ZERO, "{position}: not after");
    }
}

#[test]
fn margin_does_not_leap_between_tiers() {
    let margin = margin(100.0, &ETH);
    let asked = |value: &str| margin.maintenance(Money(dec(value))).0.normalize();
    for (value, expected) in [
        ("0", "0"),
        ("10000", "50"),
        ("-10000", "50"),
        ("10000.01", "50.000065"),
        ("100000", "635"),
        ("500000", "4635"),
        ("12000000", "1239635"),
    ] {
        assert_eq!(asked(value), dec(expected), "{value}");
    }
}

#[test]
fn without_tiers_maintenance_is_half_of_the_initial_margin() {
    assert_eq!(margin(10.0, &[]).maintenance(Money(dec("1000"))), Money(dec("50")));
    assert_eq!(margin(3.0, &[]).maintenance(Money(dec("-600"))), Money(dec("100.00000001")));
    // Long and short 1 at 100 with 20 of margin: 80 ÷ 0.95 and 120 ÷ 1.05.
    let margin = margin(10.0, &[]);
    assert_eq!(price(&margin, "1", "100", "20"), Some(Price(dec("84.210526315790"))));
    assert_eq!(price(&margin, "-1", "100", "20"), Some(Price(dec("114.285714285714"))));
    assert_eq!(price(&margin, "1", "100", "100"), None, "all of it is paid for");
}

#[test]
fn at_the_bankruptcy_price_nothing_is_left_and_nothing_is_owed() {
    for (position, cost, wallet) in [
        ("1", "100", "20"),
        ("-1", "-100", "20"),
        ("3", "100", "0.00000001"),
        ("-7", "-99.99999999", "31.4"),
        ("0.00001", "0.9", "0.7"),
    ] {
        let (position, cost, wallet) = (Qty(dec(position)), Money(dec(cost)), Money(dec(wallet)));
        let price = Margin::bankruptcy_price(position, cost, wallet).unwrap();
        let left = wallet + notional(price, position, Rounding::Down).unwrap() - cost;
        assert!(left >= Money::ZERO && left < Money(dec("0.0000001")), "{position} at {price}: {left}");
    }
    let nothing = Margin::bankruptcy_price(Qty(dec("-1")), Money(dec("-100")), Money(dec("-200")));
    assert_eq!(nothing, Some(Price(dec("0.000000000001"))), "every price is beyond");
}

#[test]
fn a_lower_leverage_allows_a_larger_position() {
    let rules = Specification::new(&perpetual(125.0, &BTC)).unwrap();
    let most = |leverage: &str| rules.clone().at_leverage(dec(leverage)).margin.most_notional.map(|most| most.0);
    assert_eq!(rules.margin.most_notional, Some(Money(dec("50000"))));
    assert_eq!(most("1000"), Some(dec("50000")), "no more than the venue's");
    assert_eq!((most("100"), most("99"), most("1")), (Some(dec("250000")), Some(dec("250000")), Some(dec("20000000"))));
    assert_eq!(rules.at_leverage(dec("2")).margin.maintenance(Money(dec("50000"))), Money(dec("200")));
    let endless = Specification::new(&perpetual(20.0, &[])).unwrap().at_leverage(dec("5"));
    assert_eq!((endless.max_leverage, endless.margin.most_notional), (dec("5"), None));
    assert_eq!(endless.margin.maintenance(Money(dec("100"))), Money(dec("2.5")), "the venue's, not the chosen one's");
}

#[test]
fn tiers_that_make_no_sense_are_named() {
    let field =
        |leverage: f64, tiers: &[(f64, f64, f64)]| Specification::new(&perpetual(leverage, tiers)).unwrap_err().field;
    let none = f64::INFINITY;
    assert_eq!(field(10.0, &[(1000.0, 0.1, 10.0)]), "maintenance");
    assert_eq!(field(10.0, &[(1000.0, 0.02, 10.0), (none, 0.02, 5.0)]), "maintenance");
    assert_eq!(field(10.0, &[(1000.0, 0.02, 10.0), (none, 0.03, 10.0)]), "tier max_leverage");
    assert_eq!(field(10.0, &[(none, 0.02, 9.0)]), "tier max_leverage");
    assert_eq!(field(10.0, &[(none, 0.02, 10.0), (none, 0.03, 5.0)]), "up_to");
    assert_eq!(field(10.0, &[(1000.0, 0.02, 10.0), (1000.0, 0.03, 5.0)]), "up_to");
    assert_eq!(field(10.0, &[(-1.0, 0.02, 10.0)]), "up_to");
    assert_eq!(field(10.0, &[(none, f64::NAN, 10.0)]), "maintenance");
}

#[test]
fn documents_without_margin_rules_stay_as_they_were() {
    let plain = perpetual(10.0, &[]);
    let json = serde_json::to_value(&plain).unwrap();
    assert!(json.get("margin").is_none());
    assert_eq!(serde_json::from_value::<Instrument>(json).unwrap(), plain);
    let tiered = perpetual(100.0, &ETH);
    assert_eq!(serde_json::from_value::<Instrument>(serde_json::to_value(&tiered).unwrap()).unwrap(), tiered);
}
