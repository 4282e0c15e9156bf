"""Tables of awkward values, made inside PostgreSQL, and what their rows must look like in an export.

A column is described once: how its values are made, and by which SQL its canonical text is computed from the stored
value. That SQL is what exports are compared with; no line of Longshore takes part in it.
"""

import dataclasses
import json

TENANT = "acme"
OTHER = "globex"

# Text that breaks naive writers: quotes, delimiters, all line ends, formulas, blanks at the ends, look-alikes of NULL and
# numbers, and characters of every plane, direction and width.
WORDS = [
    "plain", "two words", 'with "quotes"', '"', '""', "a,b", ";semicolon", "pipe|pipe", "tab\tinside", "line\nfeed",
    "carriage\rreturn", "both\r\nends", "\n", "\r\n", "\r", "\t", " leading", "trailing ", "  ", "=1+1",
    "=HYPERLINK(\"http://example.com\",\"x\")", "+441234", "-1", "@SUM(A1)", "'quoted", "''", "NULL", "null", "\\N",
    "\\.", "\\", "\\\\", "back\\slash", "nan", "Infinity", "true", "0", "007", "1e5", "0x1F", "1,234.50", "2026-02-30",
    "{\"json\": true}", "[1,2]", "<script>alert(1)</script>", "%00%0a", "${HOME}", "'; DROP TABLE awkward; --",
    "naïve café", "ß ſ ŉ", "Ǆ ǅ ǆ", "e\u0301 combining", "Ελληνικά", "Кириллица", "עברית", "العربية", "a\u202Eevil\u202Cb",
    "हिन्दी", "ไทย", "한국어", "日本語", "中文", "𠀀𪛖", "😀", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇦🇼", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "\u0001\u0002\u001f",
    "\u007f", "\u0085next", "\u00a0nbsp", "\u2028line", "\u2029paragraph", "\ufeffbom", "\ufffd", "\uffff", "\U0010ffff",
    "\U000e0001", "\ue000private", "zero\u200bwidth\u200djoiner", "x" * 300, "é" * 100, '"' * 40, ",\r\n" * 20,
]


@dataclasses.dataclass
class Column:
    name: str
    type: str  # in the catalog
    sql_type: str
    value: str  # SQL, of g (the row's number) and w.word
    canonical: str = "{}::text"  # SQL, of the column
    kind: str = "text"  # text, number, float, bool or json: how the canonical text reads in JSON
    source: str = ""  # the column's name in the database, if it is another one

    @property
    def sql_name(self):
        return '"' + (self.source or self.name).replace('"', '""') + '"'


def timestamp_text(column, suffix):
    """ISO 8601 with microseconds only if there are any, as PostgreSQL's to_char sees it."""
    return (f"CASE WHEN NOT isfinite({column}) THEN {column}::text ELSE "
            f"to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS') || "
            f"CASE WHEN extract(microseconds FROM {column})::int % 1000000 <> 0 THEN to_char({column}, '.US') ELSE '' END "
            f"|| '{suffix}' || CASE WHEN extract(year FROM {column}) < 0 THEN ' BC' ELSE '' END END")


TIME = ("CASE WHEN extract(microseconds FROM {})::int % 1000000 <> 0 THEN to_char({}, 'HH24:MI:SS.US') "
        "ELSE CASE WHEN {} = '24:00' THEN '24:00:00' ELSE to_char({}, 'HH24:MI:SS') END END")
TIMESTAMP = timestamp_text("{}", "")
TIMESTAMPTZ = timestamp_text("({} AT TIME ZONE 'UTC')", "Z")
OUTPUT = "CASE WHEN {} IS NULL THEN NULL ELSE format('%s', {}) END"  # as psql shows it; the cast to text adds /32
BYTES = "translate(encode({}, 'base64'), E'\\n', '')"


def one_of(divisor, *values, otherwise):
    """SQL that gives the rare values to a few rows each, and `otherwise` to all others."""
    cases = " ".join(f"WHEN {i} THEN {value}" for i, value in enumerate(values))
    return f"CASE g % {divisor} {cases} ELSE {otherwise} END"


LABEL = ("CASE WHEN g % 17 = 0 THEN NULL WHEN g % 13 = 0 THEN '' WHEN g % 9973 = 0 THEN repeat(w.word, 50) "
         "WHEN g % 3 = 0 THEN w.word ELSE w.word || ' ' || g END")

EVERY_TYPE = [
    Column("small", "int16", "smallint", one_of(29, "NULL", "-32768", "32767", otherwise="g % 60000 - 30000"), kind="number"),
    Column("medium", "int32", "integer", one_of(31, "NULL", "-2147483648", "2147483647", otherwise="hashint4(g::int)"), kind="number"),
    Column("big", "int64", "bigint", one_of(23, "NULL", "'-9223372036854775808'::bigint", "9223372036854775807", "0", "9007199254740993",
                                            otherwise="hashint8extended(g, 0)"), kind="number"),
    Column("price", "numeric(12,2)", "numeric(12,2)", one_of(37, "NULL", "9999999999.99", "-9999999999.99", "0", "-0.01",
                                                             otherwise="(hashint4(g::int)::bigint * 3) / 100.0"), kind="number"),
    Column("exact", "numeric", "numeric", one_of(41, "NULL", "'NaN'", "'Infinity'", "'-Infinity'", "1.500", "0", "0.00",
                                                 "123456789012345678901234567890123456789012345.000000000000000000000123", "'1e120'::numeric",
                                                 "'-1e-60'::numeric", otherwise="hashint8extended(g, 7)::numeric / 10000"), kind="number"),
    Column("ratio", "float64", "double precision", one_of(43, "NULL", "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "5e-324", "1.7976931348623157e308",
                                                          "0.1", "1e15", "1e16", "1e22", "1e-5", "123456789012345680",
                                                          otherwise="hashint8extended(g, 3)::float8 / 3"), kind="float"),
    Column("single", "float32", "real", one_of(47, "NULL", "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1e-45", "3.4028235e38", "0.1", "16777216",
                                               otherwise="(hashint4(g::int) / 7)::real"), kind="float"),
    Column("flag", "bool", "boolean", "CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN true ELSE false END", kind="bool"),
    Column("label", "text", "text", LABEL, source='Order by "x"; --'),
    Column("short", "text", "varchar(40)", "CASE WHEN g % 11 = 1 THEN NULL ELSE left(w.word, 40) END"),
    Column("padded", "text", "char(8)", "left(w.word, 6)", "rpad({}, 8)"),
    Column("token", "uuid", "uuid", one_of(101, "NULL", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
                                           otherwise="md5(g::text)::uuid")),
    Column("day", "date", "date", one_of(53, "NULL", "'0001-01-01'", "'9999-12-31'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'1900-02-28'",
                                         "'2000-02-29'", "'1969-12-31'", "'12345-06-07'", otherwise="date '1970-01-01' + (g % 40000 - 20000)::int")),
    Column("clock", "time", "time", one_of(59, "NULL", "'00:00'", "'24:00'", "'23:59:59.999999'", "'00:00:00.000001'",
                                           otherwise="time '00:00' + (g % 86400) * interval '1 second' + (g % 3) * interval '7 microseconds'"), TIME),
    Column("stamp", "timestamp", "timestamp", one_of(61, "NULL", "'infinity'", "'-infinity'", "'0001-01-01'", "'9999-12-31 23:59:59.999999'",
                                                     "'1969-12-31 23:59:59.999999'", "'0044-03-15 12:00 BC'", "'1970-01-01'",
                                                     otherwise="timestamp '2026-01-01' + g * interval '1.000013 second'"), TIMESTAMP),
    Column("moment", "timestamptz", "timestamptz", one_of(67, "NULL", "'infinity'", "'-infinity'", "'0001-01-01 00:00+00'", "'9999-12-31 23:59:59.999999+00'",
                                                          "'1969-12-31 23:59:59.999999+00'", "'2026-03-29 03:00+02'", "'0044-03-15 12:00+00 BC'",
                                                          otherwise="timestamptz '2026-01-01 00:00+00' - g * interval '17 second'"), TIMESTAMPTZ),
    Column("span", "interval", "interval", one_of(71, "NULL", "'0'", "'1 year 2 mons -3 days 04:05:06.789'", "'-1 day +02:03'", "'100000 years'", "'-0.000001 second'",
                                                  otherwise="g * interval '1 second'")),
    Column("document", "json", "json", one_of(11, "NULL", "'null'", "'\"text\"'", "'12345678901234567890.10'", "'[]'",
                                              "E'{\\n  \"pretty\": [1,\\r\\n 2.50, {\"deep\": [null, true]}]\\n}'", "'{\"a\":1,\"b\":\"\\u00e9\\n\\\"\"}'",
                                              otherwise="json_build_object('n', g, 'word', w.word)"), kind="json"),
    Column("nested", "json", "jsonb", "CASE WHEN g % 7 = 0 THEN NULL ELSE jsonb_build_object('word', w.word, 'n', g, 'list', jsonb_build_array(1.50, NULL, false, w.word)) END", kind="json"),
    Column("blob", "bytea", "bytea", one_of(73, "NULL", "''", "'\\x00'", "'\\x00ff0a0d22'", otherwise="decode(md5(g::text), 'hex')"), BYTES),
    Column("address", "text", "inet", one_of(5, "NULL", "'10.0.0.1'", "'2001:db8::1'", "'192.168.0.0/24'", otherwise="'10.0.0.0'::inet + g % 65536"), OUTPUT),
    Column("network", "text", "cidr", "CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '10.1.0.0/16' ELSE '2001:db8::/32' END", OUTPUT),
    Column("hardware", "text", "macaddr", "substr(md5(g::text), 1, 12)::macaddr"),
    Column("mood", "text", "mood", "(ARRAY['sad', 'so, so', 'with \"quotes\"', '😀', '=formula'])[1 + g % 5]::mood"),
    Column("share", "int32", "percent", "CASE WHEN g % 9 = 0 THEN NULL ELSE g % 101 END", kind="number"),
    Column("tags", "text[]", "text[]", one_of(6, "NULL", "'{}'", "ARRAY[NULL]::text[]", otherwise="ARRAY[w.word, NULL, '', 'NULL', 'a,\"b\"']"), "array_to_json({})::text", kind="json"),
    Column("numbers", "int64[]", "bigint[]", one_of(7, "NULL", "'{}'", "'{{1,2},{3,NULL}}'", otherwise="ARRAY[g, NULL, -9223372036854775807, 0]"), "array_to_json({})::text", kind="json"),
]

PAYLOAD = [column for column in EVERY_TYPE if column.name in ("label", "price", "moment", "document", "flag")]


@dataclasses.dataclass
class Table:
    name: str
    rows: int  # of the tenant; the other tenant has a tenth of them
    key: list  # of Column
    others: list  # of Column

    @property
    def columns(self):
        return self.key + self.others

    def create(self, database):
        """All rows whose number divides by 11 are the other tenant's."""
        columns = ", ".join(f"{c.sql_name} {c.sql_type}{' NOT NULL' if c in self.key else ''}" for c in self.columns)
        values = ", ".join(f"({c.value})::{c.sql_type.split(' COLLATE')[0]}" for c in self.columns)
        key = ", ".join(c.sql_name for c in self.key)
        database.sql(
            f"CREATE TABLE {self.name} (tenant_id text NOT NULL, {columns})",
            # The words are looked up row by row, so that the rows lie about in the order of their numbers.
            "SET enable_hashjoin = off", "SET enable_mergejoin = off",
            f"INSERT INTO {self.name} SELECT CASE WHEN g % 11 = 0 THEN '{OTHER}' ELSE '{TENANT}' END, {values} "
            f"FROM generate_series(1::bigint, {self.rows + self.rows // 10}) g JOIN words w ON w.n = g % {len(WORDS)}",
            f"ALTER TABLE {self.name} ADD PRIMARY KEY ({key})",
            f"CREATE UNIQUE INDEX {self.name}_tenant ON {self.name} (tenant_id, {key})",
            f"ANALYZE {self.name}")

    def dataset(self):
        columns = "".join(f"      {c.name}: {{ column: {json.dumps(c.source or c.name)}, type: \"{c.type}\" }}\n" for c in self.columns)
        return (f"  {self.name}:\n    source: app\n    relation: public.{self.name}\n    tenant_column: tenant_id\n"
                f"    key: [{', '.join(c.name for c in self.key)}]\n    columns:\n{columns}")

    def query(self):
        """Canonical text of the tenant's rows in the order of the key (of the columns, not of their text)."""
        columns = ", ".join(c.canonical.replace("{}", c.sql_name) for c in self.columns)
        return f"SELECT {columns} FROM {self.name} WHERE tenant_id = '{TENANT}' ORDER BY {', '.join(f'{self.name}.{c.sql_name}' for c in self.key)}"


SETTINGS = ("SET TimeZone = 'UTC'", "SET IntervalStyle = 'iso_8601'", "SET DateStyle = 'ISO, YMD'")


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def create_words(database):
    rows = ", ".join(f"({n}, {quote(word)})" for n, word in enumerate(WORDS))
    mood = ", ".join(quote(m) for m in ("sad", "so, so", 'with "quotes"', "😀", "=formula"))
    database.sql(f"CREATE TYPE mood AS ENUM ({mood})", "CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100)",
                 "CREATE TABLE words (n bigint PRIMARY KEY, word text NOT NULL)", f"INSERT INTO words VALUES {rows}")


def awkward(rows):
    """Every type, by a bigint key with both extremes."""
    last = rows + rows // 10 - 1
    key = Column("id", "int64", "bigint", f"CASE g WHEN 1 THEN '-9223372036854775808'::bigint WHEN {last} THEN 9223372036854775807 "
                 f"ELSE (g - {rows // 2}) * 8388593 END", kind="number")
    return Table("awkward", rows, [key], EVERY_TYPE)


def tables_by_key(rows):
    """The same few columns by keys of every kind."""
    number = Column("n", "int32", "integer", "g", kind="number")
    token = Column("id", "uuid", "uuid", "md5(g::text)::uuid")
    # Many rows at one instant, so that the second column decides; and both infinities.
    instant = Column("at", "timestamptz", "timestamptz", one_of(997, "'infinity'", "'-infinity'", "'0044-03-15 12:00+00 BC'",
                     otherwise="timestamptz '2026-01-01 00:00+00' + (g / 25) * interval '0.000001 second'"), TIMESTAMPTZ)
    local = Column("seen", "timestamp", "timestamp", "timestamp '1970-01-01' + (g - 5000) * interval '86399.999999 second'", TIMESTAMP)
    return [
        Table("by_text_and_int", rows, [Column("region", "text", 'text COLLATE "und-x-icu"', "w.word"), number], PAYLOAD),
        Table("by_uuid", rows, [token], PAYLOAD),
        Table("by_time_and_uuid", rows, [instant, token], PAYLOAD),
        Table("by_text", rows, [Column("name", "text", "text", "md5(g::text) || w.word")], PAYLOAD),
        Table("by_local_time", rows, [local], PAYLOAD),
        Table("by_date_and_numeric", rows, [Column("day", "date", "date", one_of(991, "'infinity'", "'-infinity'", otherwise="date '2026-01-01' - (g / 500)::int")),
                                            Column("amount", "numeric", "numeric", "(g - 50000) / 8.0", kind="number")], PAYLOAD),
    ]
