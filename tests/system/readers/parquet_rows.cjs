// parquet_rows.cjs FILE COLUMN…: what DuckDB finds in a Parquet file, one JSON array of texts and nulls a row.
const { DuckDBInstance } = require('@duckdb/node-api');

const [file, ...columns] = process.argv.slice(2);
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

// What does not become a text by itself as the database's does.
const expressions = {
  BLOB: (column) => `base64(${column})`,
  DOUBLE: (column) => `${column}::VARCHAR`,
  TIMESTAMP: (column) => `epoch_us(${column})::VARCHAR`,
  'TIMESTAMP WITH TIME ZONE': (column) => `epoch_us(${column})::VARCHAR`,
  DATE: (column) => `(${column} - DATE '1970-01-01')::VARCHAR`,
};

async function main() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run("SET TimeZone = 'UTC'");
  const source = `read_parquet('${file}')`;
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
  const types = Object.fromEntries(described.getRows().map((row) => [row[0], row[1]]));
  const selected = columns.map((name) => {
    const type = types[name];
    if (type.endsWith('[]')) return `to_json(${quoted(name)})::VARCHAR`;
    return expressions[type] ? expressions[type](quoted(name)) : `${quoted(name)}::VARCHAR`;
  });
  // As bytes, because the package's text decoder drops a byte order mark.
  const bytes = selected.map((expression) => `base64(encode(${expression}))`);
  const text = (value) => (value === null ? null : Buffer.from(value, 'base64').toString('utf8'));
  const result = await connection.stream(`SELECT ${bytes.join(', ')} FROM ${source}`);
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    process.stdout.write(chunk.getRows().map((row) => JSON.stringify(row.map(text)) + '\n').join(''));
  }
}

main().catch((error) => { console.error(error); process.exit(1); });
