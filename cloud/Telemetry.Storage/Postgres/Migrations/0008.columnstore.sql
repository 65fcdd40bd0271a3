-- TimescaleDB Community: chunks of parts are compacted two days after they close. By series: then late parts are merged in,
-- and parts are removed, in batches of their series alone. A part has 33 to 39 bytes so, 24 of them its sum of hashes and two
-- doubles; with batches of several series it would have at most 4 fewer.

ALTER TABLE telemetry.window_part SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'series',
    timescaledb.compress_orderby = 'start, stored_at');
SELECT add_compression_policy('telemetry.window_part', compress_after => interval '2 days');
