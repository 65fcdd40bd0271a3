-- TimescaleDB Community: chunks of parts are compacted two days after they close.

ALTER TABLE telemetry.window_part SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'series',
    timescaledb.compress_orderby = 'start, stored_at');
SELECT add_compression_policy('telemetry.window_part', compress_after => interval '2 days');
