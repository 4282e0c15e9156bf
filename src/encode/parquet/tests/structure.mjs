// structure.mjs FILE: checks a file's statistics and indexes against its values, as hyparquet reads them, and that pages
// lie where the metadata says. Columns without lists only. Prints one line about each row group.
// Metadata is looked at as Thrift gives it, by field number: nothing is converted, nothing made up.
import fs from 'node:fs';
import { compressors, hyparquet, inMemory, readThrift } from './readers.mjs';

const bytes = fs.readFileSync(process.argv[2]);
const buffer = inMemory(bytes);
const structAt = (begin, size) => readThrift(bytes.subarray(Number(begin), Number(begin) + Number(size)));
const footerSize = bytes.readUInt32LE(bytes.length - 8);
const footer = structAt(bytes.length - 8 - footerSize, footerSize);
const elements = footer.field_2.slice(1).map((element) => ({
  name: Buffer.from(element.field_4).toString(), type: element.field_1, converted: element.field_6,
}));
const [kBoolean, kInt32, kInt64, kFloat, kDouble, kByteArray] = [0, 1, 2, 4, 5, 6];
const [kUtf8, kDecimal] = [0, 5];

// Values as they are stored: without their annotations.
const metadata = await hyparquet.parquetMetadataAsync(buffer);
for (const element of metadata.schema) {
  delete element.converted_type;
  delete element.logical_type;
}

function check(condition, message) {
  if (!condition) throw new Error(message);
}

function decode(raw, element) {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  switch (element.type) {
    case kBoolean: return view.getUint8(0) === 1;
    case kInt32: return view.getInt32(0, true);
    case kInt64: return view.getBigInt64(0, true);
    case kFloat: return view.getFloat32(0, true);
    case kDouble: return view.getFloat64(0, true);
  }
  return Buffer.from(raw);
}

/// In the order that the column's annotation asks for.
function compare(a, b, element) {
  if (!Buffer.isBuffer(a)) return a < b ? -1 : a > b ? 1 : 0;
  if (element.converted !== kDecimal) return Buffer.compare(a, b);
  const value = (raw) => BigInt.asIntN(8 * raw.length, BigInt('0x' + raw.toString('hex')));
  return value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0;
}

const isNull = (value) => value === null || value === undefined;
const ordered = (values) => values.filter((value) => !isNull(value) && !Number.isNaN(value))
  .map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));

function checkBounds(where, values, min, max, exact, element) {
  const [least, greatest] = values.reduce(([low, high], value) => [
    compare(value, low, element) < 0 ? value : low, compare(value, high, element) > 0 ? value : high],
  [values[0], values[0]]);
  const low = decode(min, element);
  const high = decode(max, element);
  const below = compare(low, least, element);
  const above = compare(high, greatest, element);
  check(below < 0 || (below === 0 && true), `${where}: min ${low} is above ${least}`);
  check(above >= 0, `${where}: max ${high} is below ${greatest}`);
  check(!exact.min || below === 0, `${where}: min ${low} is said to be exact, but the least is ${least}`);
  check(!exact.max || above === 0, `${where}: max ${high} is said to be exact, but the greatest is ${greatest}`);
  check(min.length <= 64 && max.length <= 64, `${where}: a bound of more than 64 bytes`);
  // Readers decide for themselves which zero is less, so both must be inside.
  if (low === 0) check(Object.is(low, element.type >= kFloat && element.type <= kDouble ? -0 : low), `${where}: min is 0`);
  if (high === 0) check(!Object.is(high, -0), `${where}: max is -0`);
  if (element.converted === kUtf8) {
    for (const bound of [min, max]) new TextDecoder('utf-8', { fatal: true }).decode(bound);
  }
}

function checkPages(where, index, pages, values, rows, element) {
  for (const [p, page] of pages.entries()) {
    const begin = Number(page.field_3);
    const end = p + 1 < pages.length ? Number(pages[p + 1].field_3) : rows;
    const inPage = values.slice(begin, end);
    const nulls = inPage.filter(isNull).length;
    check(Number(index.field_5[p]) === nulls, `${where}, page ${p}: ${index.field_5[p]} nulls, there are ${nulls}`);
    check(index.field_1[p] === (nulls === inPage.length), `${where}, page ${p}: null page ${index.field_1[p]}`);
    if (index.field_1[p]) continue;
    const exact = element.type !== kByteArray;
    checkBounds(`${where}, page ${p}`, ordered(inPage), index.field_2[p], index.field_3[p],
      { min: exact, max: exact }, element);
  }
  // 1 ascending, 2 descending.
  const there = pages.map((_, p) => p).filter((p) => !index.field_1[p]);
  for (const bounds of [index.field_2, index.field_3]) {
    for (let i = 1; i < there.length; ++i) {
      const step = compare(decode(bounds[there[i - 1]], element), decode(bounds[there[i]], element), element);
      check(index.field_4 !== 1 || step <= 0, `${where}: pages are said to ascend`);
      check(index.field_4 !== 2 || step >= 0, `${where}: pages are said to descend`);
    }
  }
}

let firstRow = 0;
let end = 4;
for (const [number, group] of footer.field_4.entries()) {
  const rows = Number(group.field_3);
  let at = Number(group.field_5);
  check(group.field_7 === number, `row group ${number} has the ordinal ${group.field_7}`);
  check(at >= end, `row group ${number} begins at ${at}, before ${end}`);
  const found = [];
  await hyparquet.parquetRead({
    file: buffer, metadata, compressors, utf8: false, rowFormat: 'object',
    rowStart: firstRow, rowEnd: firstRow + rows, onComplete: (all) => found.push(...all),
  });
  check(found.length === rows, `row group ${number}: ${found.length} rows of ${rows}`);
  const encodings = [];
  let uncompressed = 0;
  for (const [c, chunk] of group.field_1.entries()) {
    const element = elements[c];
    const meta = chunk.field_3;
    const where = `row group ${number}, ${element.name}`;
    const values = found.map((row) => row[element.name]);
    check(Number(chunk.field_2) === 0, `${where}: file_offset is not 0`);

    // Pages follow each other without gaps: dictionary, data pages, next column.
    const begin = Number(meta.field_11 ?? meta.field_9);
    check(begin === at, `${where} begins at ${begin}, expected ${at}`);
    const pages = structAt(chunk.field_4, chunk.field_5).field_1;
    let page = Number(meta.field_9);
    for (const location of pages) {
      check(Number(location.field_1) === page, `${where}: a page at ${location.field_1}, expected ${page}`);
      page += location.field_2;
    }
    at += Number(meta.field_7);
    check(page === at, `${where}: pages end at ${page}, the column at ${at}`);
    uncompressed += Number(meta.field_6);
    const dataPages = meta.field_13.filter((each) => each.field_1 === 0).reduce((sum, each) => sum + each.field_3, 0);
    check(dataPages === pages.length, `${where}: ${dataPages} pages counted, ${pages.length} there`);
    encodings.push(meta.field_13.filter((each) => each.field_1 === 0).map((each) => `${each.field_3}x${each.field_2}`).join('+'));

    const statistics = meta.field_12;
    const nulls = values.filter(isNull).length;
    check(Number(statistics.field_3) === nulls, `${where}: ${statistics.field_3} nulls, there are ${nulls}`);
    const there = ordered(values);
    check((statistics.field_6 !== undefined) === there.length > 0, `${where}: bounds ${statistics.field_6}`);
    if (there.length > 0) {
      checkBounds(where, there, statistics.field_6, statistics.field_5,
        { min: statistics.field_8, max: statistics.field_7 }, element);
    }
    if (chunk.field_6) {
      checkPages(where, structAt(chunk.field_6, chunk.field_7), pages, values, rows, element);
    } else {
      check(values.some(Number.isNaN), `${where}: no column index`);
    }
  }
  check(Number(group.field_6) === at - Number(group.field_5), `row group ${number}: compressed size`);
  check(Number(group.field_2) === uncompressed, `row group ${number}: uncompressed size`);
  const sorting = (group.field_4 ?? []).map((each) => elements[each.field_1].name);
  console.log(`${rows} rows, sorted by [${sorting}], data pages ${encodings.join(' ')}`);
  firstRow += rows;
  end = at;
}
check(firstRow === Number(footer.field_3), `${footer.field_3} rows in all, ${firstRow} in row groups`);
console.log(Buffer.from(footer.field_6).toString());
for (const property of footer.field_5) {
  console.log(`${Buffer.from(property.field_1)}: ${Buffer.from(property.field_2)}`);
}
