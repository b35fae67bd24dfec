/* A strategy in C, against nothing but the contract: no SDK, no standard library, no generated code.
 *
 * The layouts below follow from the WIT by the canonical ABI of the component model: a record's fields in order, each
 * at its own alignment; a variant's case number first, its payload at the largest alignment of all cases; texts and
 * lists as an address and a length. `build.sh` makes a component of it. */

typedef unsigned char u8;
typedef unsigned int u32;
typedef long long s64;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(interface, name) \
    __attribute__((import_module("tiltyard:strategy/" interface "@0.1.0"), import_name(name)))

typedef struct { const char *at; u32 len; } text;

/* `violation` of `types`. */
typedef struct { text rule; double actual; double limit; text unit; } violation;

/* `result<option<acceptance>, list<violation>>`: the payload stands at 8, because an acceptance holds an order's id. */
typedef struct { u8 is_err; __attribute__((aligned(8))) struct { violation *at; u32 len; } violations; u8 rest[56]; } answer;

/* `tuple<string, value>`: a `value` is its case, then at 8 its payload. */
typedef struct { text name; u8 kind; __attribute__((aligned(8))) union { s64 integer; double real; text text; } is; } parameter;

IMPORT("orders", "target")
void target(u32 instrument, double fraction, u32 has_stop, u32 stop, s64 price, double trail, answer *answer);
IMPORT("journal", "log") void log_line(u32 level, const char *at, u32 len);

/* Room for what the host hands over. Each call starts afresh: nothing is kept. */
static u8 room[128 * 1024] __attribute__((aligned(16)));
static u32 used;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_len, u32 align, u32 len) {
    (void)old; (void)old_len;
    used = (used + align - 1) & -align;
    if (used + len > sizeof room) __builtin_trap();
    used += len;
    return room + used - len;
}

static const char manifest[] = MANIFEST;

EXPORT("tiltyard:strategy/lifecycle@0.1.0#describe") text *describe(void) {
    static text description;
    description = (text){manifest, sizeof manifest - 1};
    return &description;
}

static double closes[256];
static u32 window, seen;
static double holding = -1;

EXPORT("tiltyard:strategy/lifecycle@0.1.0#init")
u8 *init(void *instruments, u32 instrument_count, s64 *intervals, u32 interval_count, parameter *parameters,
         u32 parameter_count, char *settlement, u32 settlement_len, s64 seed) {
    static u8 well[24];
    (void)instruments; (void)instrument_count; (void)intervals; (void)interval_count; (void)parameter_count; (void)seed;
    (void)settlement; (void)settlement_len;
    window = (u32)parameters[0].is.integer;
    return well;
}

/* Says what is to be held; the price is compared with the closes before it. */
static double decide(double close) {
    double highest = -1e308, lowest = 1e308;
    double decision = -1;
    if (seen >= window) {
        for (u32 at = 0; at < window; at++) {
            if (closes[at] > highest) highest = closes[at];
            if (closes[at] < lowest) lowest = closes[at];
        }
        decision = close > highest ? 1 : close < lowest ? 0 : -1;
    }
    closes[seen++ % window] = close;
    return decision;
}

EXPORT("tiltyard:strategy/lifecycle@0.1.0#warm-up")
void warm_up(u32 instrument, s64 *times, u32 n0, double *open, u32 n1, double *high, u32 n2, double *low, u32 n3,
             double *close, u32 n, double *volume, u32 n5) {
    (void)instrument; (void)times; (void)n0; (void)open; (void)n1; (void)high; (void)n2; (void)low; (void)n3; (void)volume; (void)n5;
    for (u32 at = 0; at < n; at++) decide(close[at]);
    used = 0;
}

EXPORT("tiltyard:strategy/bar-events@0.1.0#on-bar")
void on_bar(u32 instrument, s64 time, double open, double high, double low, double close, double volume) {
    (void)time; (void)open; (void)high; (void)low; (void)volume;
    double wanted = decide(close);
    if (wanted < 0 || wanted == holding) return;
    static answer answer;
    target(instrument, wanted, 0, 0, 0, 0, &answer);
    if (answer.is_err) {
        for (u32 at = 0; at < answer.violations.len; at++)
            log_line(2, answer.violations.at[at].rule.at, answer.violations.at[at].rule.len);
    } else {
        holding = wanted;
    }
    used = 0;
}

EXPORT("tiltyard:strategy/bar-events@0.1.0#on-step") void on_step(s64 time) { (void)time; }
