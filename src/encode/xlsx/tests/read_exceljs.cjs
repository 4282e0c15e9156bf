// read_exceljs.cjs FILE: prints what exceljs sees of a workbook, for check_workbook.py. With NODE_PATH set.
const ExcelJS = require('exceljs');

function describe(cell) {
  const value = cell.value;
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return ['bool', value];
  if (typeof value === 'number') return ['number', String(value)];
  if (value instanceof Date) {
    const micros = value.getTime() * 1000;
    // Times of a day are dates of 1899-12-30 to exceljs.
    const midnight = Date.UTC(1899, 11, 30) * 1000;
    return /^h/.test(cell.numFmt) ? ['time', micros - midnight] : ['moment', micros];
  }
  if (typeof value === 'string') return ['text', value];
  throw new Error(`${cell.address} holds ${JSON.stringify(value)}`);  // a formula, an error, a link
}

async function main() {
  const workbook = new ExcelJS.Workbook();
  await workbook.xlsx.readFile(process.argv[2]);
  const sheets = workbook.worksheets.map((sheet) => {
    const rows = [];
    for (let r = 1; r <= sheet.rowCount; ++r) {
      const row = sheet.getRow(r);
      const cells = [];
      for (let c = 1; c <= sheet.columnCount; ++c) cells.push(describe(row.getCell(c)));
      rows.push(cells);
    }
    return { name: sheet.name, rows };
  });
  console.log(JSON.stringify(sheets));
}

main();
