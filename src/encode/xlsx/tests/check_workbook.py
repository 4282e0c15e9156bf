"""check_workbook.py READER FILE EXPECTED.json: compares a workbook, as a foreign reader sees it, with what it must hold.

READER: `openpyxl`; `exceljs` (FILE is what read_exceljs.cjs printed); `libreoffice` (FILE is .fods, flat ODF).
EXPECTED: {"types": [...], "sheets": [{"name": ..., "headers": [...], "rows": [[text or null, ...], ...]}]}, where the texts
are those of the values in CSV. What a cell must be is worked out here, by Python's own decimal, datetime and codecs.
"""
import datetime
import decimal
import json
import re
import sys
import zipfile
from xml.etree import ElementTree
from xml.parsers import expat

EPOCH = datetime.datetime(1970, 1, 1)
decimal.getcontext().prec = 2000


def cut(text, units=32767):
    """As many characters as fit `units` UTF-16 units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    if len(raw) <= 2 * units:
        return text
    return raw[:2 * units].decode("utf-16-le", "ignore")


def micros(moment):
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def expected_number(text):
    """A number of at most 15 digits, zeros at the end of the fraction not counted, is a number; else it is text."""
    value = decimal.Decimal(text)
    if not value.is_finite():
        return ("text", text)
    digits = str(value.quantize(decimal.Decimal(1)) if value == value.to_integral_value() else value.normalize())
    shown = re.sub(r"[-.]", "", format(decimal.Decimal(digits), "f")).lstrip("0")
    return ("number", value) if len(shown) <= 15 else ("text", text)


def expected_float(text):
    value = float(text)
    if value == 0 or 2.2250738585072014e-308 <= abs(value) <= 9.99999999999999e307:
        return ("number", decimal.Decimal(text))
    return ("text", text)


def expected_moment(text):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d(?:\.\d+)?))?Z?", text)
    if not match or match[1] < "1900-03-01" or (match[2] and match[1] + match[2] > "9999-12-3123:59:59.9994"):
        return ("text", text)
    moment = datetime.datetime.fromisoformat(match[1] + ("T" + match[2] if match[2] else ""))
    return ("moment", micros(moment))


def expected_time(text):
    if text >= "23:59:59.9995":
        return ("text", text)
    return ("time", micros(datetime.datetime.combine(EPOCH.date(), datetime.time.fromisoformat(text))))


def expected_cell(kind, text):
    if text is None:
        return None
    if kind == "bool":
        return ("bool", text == "true")
    if re.fullmatch(r"int\d+|numeric.*", kind):
        return expected_number(text)
    if kind.startswith("float"):
        return expected_float(text)
    if kind in ("date", "timestamp", "timestamptz"):
        return expected_moment(text)
    if kind == "time":
        return expected_time(text)
    if kind == "bytea" and len(text) > 32767:
        return ("text", text[:32764])
    return ("text", cut(text))


def unescape(text):
    """openpyxl and exceljs leave the escapes of inline strings as they are."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


def read_openpyxl(path):
    import openpyxl
    check_container(path)
    book = openpyxl.load_workbook(path)
    lean = openpyxl.load_workbook(path, read_only=True)
    for sheet in book.worksheets:
        rows = []
        for row in sheet.iter_rows():
            cells = []
            for cell in row:
                assert cell.data_type != "f", f"{cell.coordinate} is a formula"
                assert cell.data_type != "e", f"{cell.coordinate} is an error"
                value = cell.value
                if value is None:
                    cells.append(None)
                elif isinstance(value, bool):
                    cells.append(("bool", value))
                elif isinstance(value, (int, float)):
                    cells.append(("number", value))
                elif isinstance(value, datetime.datetime):
                    cells.append(("moment", micros(value)))
                elif isinstance(value, datetime.time):
                    cells.append(("time", micros(datetime.datetime.combine(EPOCH.date(), value))))
                else:
                    cells.append(("text", unescape(value)))
            rows.append(cells)
        assert sheet.freeze_panes == "A2", "the header is not frozen"
        assert all(cell.font.b for cell in sheet[1]), "the header is not bold"
        assert not any(cell.font.b for cell in sheet[sheet.max_row]) or sheet.max_row == 1
        filters = [table.autoFilter.ref for table in sheet.tables.values()] or [sheet.auto_filter.ref]
        assert filters == [sheet.dimensions] or sheet.max_row == 1, (filters, sheet.dimensions)
        same = [[cell for cell in row] for row in lean[sheet.title].iter_rows(values_only=True)]
        assert len(same) == len(rows), "the read-only reader sees other rows"
        yield sheet.title, rows


def check_container(path):
    """The archive is whole, has no data descriptors, begins with the content types, and its parts are XML."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert infos[0].filename == "[Content_Types].xml"
        assert all(info.flag_bits == 0 for info in infos)
        for info in infos:
            expat.ParserCreate().Parse(archive.read(info), True)


def read_exceljs(path):
    convert = {"number": decimal.Decimal, "text": unescape}
    with open(path, encoding="utf-8") as file:
        for sheet in json.load(file):
            yield sheet["name"], [[cell and (cell[0], convert.get(cell[0], lambda value: value)(cell[1])) for cell in row]
                                  for row in sheet["rows"]]


ODF = {prefix: f"urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0" for prefix in ("table", "office", "text")}


def odf(name):
    prefix, local = name.split(":")
    return f"{{{ODF[prefix]}}}{local}"


def odf_text(node):
    parts = [node.text or ""]
    for child in node:
        if child.tag == odf("text:s"):
            parts.append(" " * int(child.get(odf("text:c"), 1)))
        elif child.tag == odf("text:tab"):
            parts.append("\t")
        elif child.tag == odf("text:line-break"):
            parts.append("\n")
        else:
            parts.append(odf_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def odf_cell(cell):
    kind = cell.get(odf("office:value-type"))
    formula = cell.get(odf("table:formula"))
    if formula in ("of:=TRUE()", "of:=FALSE()"):  # what LibreOffice makes of a boolean
        return ("bool", formula == "of:=TRUE()")
    assert formula is None, cell.attrib
    if kind is None:
        return None
    if kind == "float":
        return ("number", decimal.Decimal(cell.get(odf("office:value"))))
    if kind == "date":
        value = cell.get(odf("office:date-value"))
        return ("moment", micros(datetime.datetime.fromisoformat(fraction_of_six(value))))
    if kind == "time":
        hours, minutes, seconds = re.fullmatch(r"PT(\d+)H(\d+)M([\d.]+)S", cell.get(odf("office:time-value"))).groups()
        return ("time", (int(hours) * 3600 + int(minutes) * 60) * 10**6 + int(decimal.Decimal(seconds) * 10**6))
    return ("text", "\n".join(odf_text(paragraph) for paragraph in cell.findall(odf("text:p"))))


def fraction_of_six(text):
    whole, dot, fraction = text.partition(".")
    return whole + "." + (fraction + "000000")[:6] if dot else text


def read_libreoffice(path):
    for table in ElementTree.parse(path).iter(odf("table:table")):
        rows = []
        for row in table.iter(odf("table:table-row")):
            cells = []
            for cell in row:
                repeated = int(cell.get(odf("table:number-columns-repeated"), 1))
                if repeated < 1000:
                    cells += [odf_cell(cell)] * repeated
            if int(row.get(odf("table:number-rows-repeated"), 1)) < 10_000:
                rows += [cells] * int(row.get(odf("table:number-rows-repeated"), 1))
        while rows and not any(rows[-1]):
            rows.pop()
        yield table.get(odf("table:name")), rows


CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def as_in_flat_odf(text, original):
    """Flat ODF cannot hold control characters; beside them LibreOffice loses tabs and line ends as well."""
    if CONTROLS.search(original):
        return re.sub(r"\s", "", CONTROLS.sub("", text))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def same(reader, expected, actual):
    if reader == "libreoffice" and expected is not None and expected[0] == "text":
        found = ("text", "") if actual is None else actual
        return found[0] == "text" and as_in_flat_odf(found[1], expected[1]) == as_in_flat_odf(expected[1], expected[1])
    if expected == ("text", "") and actual is None:  # an empty text is an empty cell to most
        return True
    if expected is None or actual is None:
        return expected == actual
    if expected[0] != actual[0]:
        return False
    if expected[0] in ("moment", "time"):
        return abs(expected[1] - actual[1]) <= 1000
    if expected[0] == "number":
        # LibreOffice writes 15 digits into its own format.
        tolerance = 1e-14 if reader == "libreoffice" else 0
        return abs(float(expected[1]) - float(actual[1])) <= tolerance * abs(float(expected[1]))
    return expected[1] == actual[1]


def main():
    reader, path, expected_path = sys.argv[1:]
    with open(expected_path, encoding="utf-8") as file:
        expected = json.load(file)
    sheets = list({"openpyxl": read_openpyxl, "exceljs": read_exceljs, "libreoffice": read_libreoffice}[reader](path))
    assert [name for name, _ in sheets] == [sheet["name"] for sheet in expected["sheets"]], [name for name, _ in sheets]
    cells = 0
    for (name, rows), sheet in zip(sheets, expected["sheets"]):
        assert [cell[1] for cell in rows[0]] == sheet["headers"], f"{name}: headers {rows[0]}"
        rows = rows[1:]
        # Rows of nothing but NULL at the end are no rows to a reader.
        rows += [[]] * (len(sheet["rows"]) - len(rows))
        assert len(rows) == len(sheet["rows"]), f"{name}: {len(rows)} rows, not {len(sheet['rows'])}"
        for number, (row, texts) in enumerate(zip(rows, sheet["rows"])):
            row = row + [None] * (len(texts) - len(row))
            assert len(row) == len(texts), f"{name}: row {number} has {len(row)} cells"
            for column, (cell, text, kind) in enumerate(zip(row, texts, expected["types"])):
                wanted = expected_cell(kind, text)
                assert same(reader, wanted, cell), \
                    f"{name}: row {number}, column {column} ({kind}): {str(cell)[:300]!r} is not {str(wanted)[:300]!r}"
                cells += 1
    print(f"{cells} cells are right")


main()
