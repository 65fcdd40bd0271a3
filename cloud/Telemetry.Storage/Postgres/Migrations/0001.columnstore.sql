-- TimescaleDB Community: chunks are compacted two days after they close.

ALTER TABLE telemetry.reading SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'device_key',
    timescaledb.compress_orderby = 'series_key, time');
SELECT add_compression_policy('telemetry.reading', compress_after => interval '2 days');
