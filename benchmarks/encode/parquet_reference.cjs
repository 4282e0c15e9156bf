// parquet_reference.cjs ROWS.csv SCRATCH: the rows of encode_bench, written as Parquet by DuckDB on one thread. Prints
// {"zstd": {"rows_per_second": …, "file_bytes": …}, …}: rows per second of CPU time as DuckDB does it by default, the
// median of three runs; and the size of the smallest file that it makes of them with row groups of several sizes.
const fs = require('fs');
const path = require('path');
const { DuckDBInstance } = require('@duckdb/node-api');

const [rowsFile, scratch] = process.argv.slice(2);
const columns = `{id: 'BIGINT', tenantId: 'VARCHAR', userId: 'VARCHAR', action: 'VARCHAR', createdAt: 'TIMESTAMPTZ',
  ipAddress: 'VARCHAR', userAgent: 'VARCHAR', details: 'JSON', amount: 'DECIMAL(12,2)', success: 'BOOLEAN',
  durationMs: 'INTEGER'}`;
const outputs = {
  zstd: 'COMPRESSION zstd, PARQUET_VERSION v1',
  zstd_modern: 'COMPRESSION zstd, PARQUET_VERSION v2',
  snappy: 'COMPRESSION snappy, PARQUET_VERSION v1',
};
const rowGroupSizes = [20_480, 122_880, 1_000_000];

async function main() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run("SET threads TO 1; SET TimeZone = 'UTC'");
  await connection.run(
    `CREATE TABLE rows AS SELECT * FROM read_csv('${rowsFile}', header = false, columns = ${columns})`);
  const rows = Number((await connection.runAndReadAll('SELECT count(*) FROM rows')).getRows()[0][0]);

  const results = {};
  for (const [name, options] of Object.entries(outputs)) {
    const seconds = [];
    for (let run = 0; run < 3; ++run) {
      const begin = process.cpuUsage();
      await connection.run(`COPY rows TO '/dev/null' (FORMAT parquet, ${options})`);
      const used = process.cpuUsage(begin);
      seconds.push((used.user + used.system) / 1e6);
    }
    const sizes = [];
    for (const size of rowGroupSizes) {
      const file = path.join(scratch, 'reference.parquet');
      await connection.run(`COPY rows TO '${file}' (FORMAT parquet, ${options}, ROW_GROUP_SIZE ${size})`);
      sizes.push(fs.statSync(file).size);
      fs.unlinkSync(file);
    }
    results[name] = { rows_per_second: rows / seconds.sort((a, b) => a - b)[1], file_bytes: Math.min(...sizes) };
  }
  console.log(JSON.stringify(results));
}

main();
