"""A witness inside the metadata database: triggers that note every claim, and every write that its writer had no right to.

The guard that Longshore puts before its writes is not consulted: the triggers know which process writes by the name of its
session (each process connects under a name of its own) and which process a worker's id belongs to by who registered it.
"""

import json

SCHEMA = """
CREATE TABLE witness (
  seq bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), kind text NOT NULL,
  writer text NOT NULL DEFAULT current_setting('application_name'), job uuid, part int, worker text, epoch bigint, note text);
CREATE TABLE owners (worker text PRIMARY KEY, process text NOT NULL);

CREATE FUNCTION see(kind text, job uuid, part int, worker text, epoch bigint, note text) RETURNS void LANGUAGE sql AS
  'INSERT INTO witness (kind, job, part, worker, epoch, note) VALUES ($1, $2, $3, $4, $5, $6)';

-- Whether this very session may write in the name of a worker: it belongs to the process that registered the worker, and the worker
-- has not been declared lost.
CREATE FUNCTION speaks_for(id text) RETURNS boolean LANGUAGE sql STABLE AS
  'SELECT EXISTS (SELECT 1 FROM owners o JOIN export_workers w ON w.id = o.worker
                  WHERE o.worker = $1 AND o.process = current_setting(''application_name'') AND w.status = ''ALIVE'')';

CREATE FUNCTION see_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO owners VALUES (NEW.id, current_setting('application_name'));
  RETURN NULL;
END $$;

CREATE FUNCTION see_partition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  counted boolean := (NEW.row_count, NEW.byte_count) IS DISTINCT FROM (OLD.row_count, OLD.byte_count);
BEGIN
  IF NEW.epoch = OLD.epoch + 1 AND OLD.status = 'PENDING' AND NEW.status = 'RUNNING' AND speaks_for(NEW.worker_id) THEN
    PERFORM see('claim', NEW.job_id, NEW.partition_index, NEW.worker_id, NEW.epoch, NULL);
  ELSIF NEW.epoch <> OLD.epoch THEN
    PERFORM see('violation', NEW.job_id, NEW.partition_index, OLD.worker_id, OLD.epoch, 'epoch became ' || NEW.epoch || ' while ' || OLD.status);
  ELSIF OLD.status = 'RUNNING' AND NEW.status = 'PENDING' AND NOT counted THEN
    PERFORM see('free', NEW.job_id, NEW.partition_index, OLD.worker_id, OLD.epoch, NULL);
  ELSIF OLD.status = 'RUNNING' AND NEW.status IN ('RUNNING', 'COMPLETED') THEN
    IF (counted OR NEW.status = 'COMPLETED' OR NEW.live_rows <> OLD.live_rows) AND NOT speaks_for(OLD.worker_id) THEN
      PERFORM see('violation', NEW.job_id, NEW.partition_index, OLD.worker_id, OLD.epoch, 'written by another');
    END IF;
  ELSIF NEW.status <> OLD.status OR counted THEN
    PERFORM see('violation', NEW.job_id, NEW.partition_index, OLD.worker_id, OLD.epoch, OLD.status || ' became ' || NEW.status || ', counts changed: ' || counted);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION see_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  holder text;
  current bigint;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM see('violation', OLD.job_id, OLD.partition_index, NULL, OLD.epoch, 'a checkpoint was changed: ' || TG_OP);
    RETURN NULL;
  END IF;
  IF NEW.partition_index < 0 THEN
    SELECT worker_id, epoch INTO holder, current FROM export_jobs WHERE id = NEW.job_id AND claimed_for = 'assemble';
  ELSE
    SELECT worker_id, epoch INTO holder, current FROM export_job_partitions
    WHERE job_id = NEW.job_id AND partition_index = NEW.partition_index AND status = 'RUNNING';
  END IF;
  IF current IS DISTINCT FROM NEW.epoch OR NOT coalesce(speaks_for(holder), false) THEN
    PERFORM see('violation', NEW.job_id, NEW.partition_index, holder, NEW.epoch, 'checkpoint of a stale epoch; current is ' || coalesce(current::text, 'none'));
  END IF;
  PERFORM see('part', NEW.job_id, NEW.partition_index, holder, NEW.epoch, NEW.sequence::text);
  RETURN NULL;
END $$;

CREATE FUNCTION see_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.epoch = OLD.epoch + 1 AND OLD.worker_id IS NULL AND speaks_for(NEW.worker_id) THEN
    PERFORM see('claim', NEW.id, -1, NEW.worker_id, NEW.epoch, NEW.claimed_for);
  ELSIF NEW.epoch <> OLD.epoch THEN
    PERFORM see('violation', NEW.id, -1, OLD.worker_id, OLD.epoch, 'epoch became ' || NEW.epoch);
  ELSIF OLD.worker_id IS NOT NULL AND NEW.worker_id IS NULL THEN
    IF (NEW.phase, NEW.row_count, NEW.byte_count, NEW.needs_cleaning) IS NOT DISTINCT FROM
       (OLD.phase, OLD.row_count, OLD.byte_count, OLD.needs_cleaning) THEN
      PERFORM see('free', NEW.id, -1, OLD.worker_id, OLD.epoch, OLD.claimed_for);
    ELSIF NOT speaks_for(OLD.worker_id) THEN
      PERFORM see('violation', NEW.id, -1, OLD.worker_id, OLD.epoch, OLD.claimed_for || ' ended by another');
    END IF;
  END IF;
  IF NEW.status <> OLD.status THEN
    PERFORM see(CASE WHEN OLD.status IN ('QUEUED', 'RUNNING') THEN 'status' ELSE 'violation' END, NEW.id, -1, NEW.worker_id, NEW.epoch,
                OLD.status || ' became ' || NEW.status);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER witness AFTER INSERT ON export_workers FOR EACH ROW EXECUTE FUNCTION see_worker();
CREATE TRIGGER witness AFTER UPDATE ON export_job_partitions FOR EACH ROW EXECUTE FUNCTION see_partition();
CREATE TRIGGER witness AFTER INSERT OR UPDATE OR DELETE ON export_parts FOR EACH ROW EXECUTE FUNCTION see_part();
CREATE TRIGGER witness AFTER UPDATE ON export_jobs FOR EACH ROW EXECUTE FUNCTION see_job();
"""


class Audit:
    """The witness of one metadata database, into whose public schema `longshore migrate` has put its tables."""

    def __init__(self, database):
        self.database = database
        database.sql(SCHEMA)

    def rows(self, query):
        return json.loads(self.database.sql(f"SELECT coalesce(json_agg(r), '[]') FROM ({query}) r"))

    def violations(self):
        return self.rows("SELECT * FROM witness WHERE kind = 'violation' ORDER BY seq")

    def count(self, kind):
        return int(self.database.sql(f"SELECT count(*) FROM witness WHERE kind = '{kind}'"))

    def held_by(self, process):
        """The claims of a process, by whichever worker's name: what will have to be taken over if it dies now."""
        return self.rows(f"""
            SELECT p.job_id AS job, p.partition_index AS part, p.epoch, extract(epoch FROM clock_timestamp()) AS at
            FROM export_job_partitions p JOIN owners o ON o.worker = p.worker_id
            WHERE p.status = 'RUNNING' AND o.process = '{process}'
            UNION ALL
            SELECT j.id, -1, j.epoch, extract(epoch FROM clock_timestamp())
            FROM export_jobs j JOIN owners o ON o.worker = j.worker_id WHERE o.process = '{process}'""")

    def seconds_until(self, kind, claim):
        """Seconds until what the claim held was freed (`free`) or claimed by another (`claim`); None if it has not been."""
        later = "epoch > " if kind == "claim" else "epoch = "
        seconds = self.database.sql(f"""
            SELECT extract(epoch FROM min(at)) - {claim['at']} FROM witness
            WHERE kind = '{kind}' AND job = '{claim['job']}' AND part = {claim['part']} AND {later} {claim['epoch']}""")
        return float(seconds) if seconds else None

    def alive(self, process):
        """The name under which a process works now; empty if it does not."""
        return self.database.sql(f"""
            SELECT w.id FROM export_workers w JOIN owners o ON o.worker = w.id
            WHERE o.process = '{process}' AND w.status = 'ALIVE' AND w.heartbeat_at > now() - interval '3 s'""")

    def declared_lost(self, process):
        """Whether the others have given the process up, under all of its names."""
        return not self.rows(f"""
            SELECT w.id FROM export_workers w JOIN owners o ON o.worker = w.id WHERE o.process = '{process}' AND w.status = 'ALIVE'""")

    def names(self, process):
        """All names that a process has worked under."""
        return [row["worker"] for row in self.rows(f"SELECT worker FROM owners WHERE process = '{process}' ORDER BY worker")]
