-- A part's flags: those of 0008.views.sql, and bit 2: when upkeep merged it, readings of its window were gone, so that
-- the time-weighted mean is not known of values that came out of the order of their times.

-- Sums of hashes are modulo 2^64, as a part has them: from -2^63 to 2^63 - 1.
CREATE FUNCTION telemetry.wrapped(number numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT mod(mod(number + 9223372036854775808, 18446744073709551616) + 18446744073709551616, 18446744073709551616)
        - 9223372036854775808
$$;

-- The time integral of a window from its readings: each value counts until the next one; the last one not at all. Null
-- if the readings do not have so many values: some of them are gone.
CREATE FUNCTION telemetry.window_integral(in_series integer, in_start timestamptz, in_width integer, in_numbers bigint)
RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN count(*) = in_numbers
                THEN sum(telemetry.bounded(number, 1e290) * extract(epoch FROM next - time)::double precision) END
    FROM (SELECT number, time, lead(time) OVER (ORDER BY time, number) AS next
          FROM telemetry.reading_number
          WHERE series = in_series AND time >= in_start AND time < in_start + make_interval(secs => in_width)
            AND counts) v
$$;

-- As in 0008, and from part_count on what upkeep needs to write one part in place of all: values that are exact in all
-- parts, or null; the sum of squares; the time integral, null where the parts do not tell it (disordered).
CREATE OR REPLACE VIEW telemetry.window_merged AS
SELECT s.id AS series, w.*
FROM telemetry.series s
CROSS JOIN LATERAL (
    SELECT start, width,
           sum(readings) AS readings, sum(numbers) AS numbers, sum(nulls) AS nulls, sum(uncertain) AS uncertain,
           sum(bad) AS bad,
           CASE WHEN min(scale) = max(scale) AND bool_and(i_sum IS NOT NULL OR numbers = 0)
                THEN sum(i_sum)::double precision / min(scale) ELSE sum(part_sum) END AS sum,
           min(part_min) AS min, max(part_max) AS max,
           (array_agg(part_first ORDER BY first_at, part_first))[1] AS first,
           (array_agg(part_last ORDER BY last_at DESC NULLS LAST, part_last DESC))[1] AS last,
           min(first_at) AS first_at, max(last_at) AS last_at,
           CASE WHEN sum(numbers) > 1 THEN sqrt(sum(part_squares) / (sum(numbers) - 1)::double precision) END AS stddev,
           CASE WHEN max(last_at) = min(first_at) THEN max(part_last)
                ELSE CASE WHEN bool_or(disordered)
                          THEN telemetry.window_integral(s.id, start, width, sum(numbers)) ELSE sum(part_integral) END
                     / ((max(last_at) - min(first_at)) / 1e6::double precision)
           END AS time_weighted_mean,
           bool_or(flags & 1 <> 0) AS late,
           count(*) AS parts,
           telemetry.wrapped(sum(hash_sum)) AS hash_sum,
           max(stored_at) AS changed_at,
           CASE WHEN min(scale) = max(scale) AND bool_and(scale IS NOT NULL OR numbers = 0)
                THEN (max(flags >> 8) - 1)::smallint END AS decimals,
           CASE WHEN min(scale) = max(scale) AND bool_and(i_sum IS NOT NULL OR numbers = 0) THEN sum(i_sum)
                END AS exact_sum,
           min(i_min) AS exact_min, max(i_max) AS exact_max,
           (array_agg(i_first ORDER BY first_at, i_first))[1] AS exact_first,
           (array_agg(i_last ORDER BY last_at DESC NULLS LAST, i_last DESC NULLS LAST))[1] AS exact_last,
           sum(part_squares) AS squares,
           CASE WHEN max(last_at) > min(first_at) THEN CASE WHEN NOT bool_or(disordered) THEN sum(part_integral) END
                WHEN count(part_sum) > 0 THEN 0 END AS integral,
           coalesce(max(last_at) > min(first_at), false) AND bool_or(disordered) AS disordered,
           bool_and(flags & 4 <> 0) AS settled
    FROM (SELECT v.*,
                 telemetry.bounded(f_squares, 1e290)
                     + CASE WHEN count(*) OVER same > 1 THEN numbers * telemetry.bounded(part_sum / nullif(numbers, 0)
                         - (sum(part_sum) OVER same) / nullif(sum(numbers) OVER same, 0), 1e140) ^ 2
                       ELSE 0 END AS part_squares,
                 telemetry.bounded(f_integral, 1e290)
                     + coalesce(telemetry.bounded(part_last, 1e290)
                         * (((lead(first_at) OVER by_time) - last_at) / 1e6::double precision), 0) AS part_integral,
                 (flags & 2) <> 0 OR coalesce((lead(first_at) OVER by_time) <= last_at, false) AS disordered
          FROM (SELECT p.*, c.scale,
                       telemetry.bounded(coalesce(f_sum, i_sum / c.scale), 1e290) AS part_sum,
                       coalesce(f_min, i_min / c.scale) AS part_min,
                       coalesce(f_max, i_max / c.scale) AS part_max,
                       coalesce(f_first, i_first / c.scale) AS part_first,
                       coalesce(f_last, i_last / c.scale) AS part_last
                FROM telemetry.window_part p
                CROSS JOIN LATERAL (SELECT CASE WHEN p.flags >> 8 > 0
                    THEN power(10::double precision, (p.flags >> 8) - 1) END AS scale) c
                WHERE p.series = s.id) v
          WINDOW same AS (PARTITION BY start, width),
                 by_time AS (PARTITION BY start, width ORDER BY first_at, last_at)) parts
    GROUP BY start, width) w;

DROP FUNCTION telemetry.window_time_weighted_mean(integer, timestamptz, integer);

-- Replaces the parts of each of these windows by one, if all of them were stored before a time; the window is the same
-- as before in the views. Windows that have one part which tells everything are left. Returns how many windows were
-- merged. Parts that are stored meanwhile stay apart, as they are newer.
--
-- As in remove_parts, literals keep TimescaleDB from moving more of a compressed chunk into row form than the batches
-- that have the parts.
CREATE FUNCTION telemetry.merge_parts(
    in_series integer[], starts timestamptz[], widths integer[], stored_before timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    day record;
    merged telemetry.merged_part[];
    parts bigint;
    removed bigint;
    windows integer := 0;
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    FOR day IN
        SELECT u.series, u.width, min(u.start) AS first, max(u.start) AS last,
               array_agg(DISTINCT u.start) AS starts
        FROM unnest(in_series, starts, widths) u(series, start, width)
        GROUP BY u.series, u.width, date_bin('1 day', u.start, '1970-01-01Z') ORDER BY 1, 2, 3
    LOOP
        SELECT array_agg((
                   w.start, w.squares,
                   CASE WHEN w.disordered THEN r.integral ELSE w.integral END, w.hash_sum, w.changed_at,
                   CASE WHEN e.fits THEN w.exact_sum END,
                   CASE WHEN e.exact THEN w.exact_min END, CASE WHEN e.exact THEN w.exact_max END,
                   CASE WHEN e.exact THEN w.exact_first END, CASE WHEN e.exact THEN w.exact_last END,
                   CASE WHEN NOT e.fits THEN w.sum END,
                   CASE WHEN NOT e.exact THEN w.min END, CASE WHEN NOT e.exact THEN w.max END,
                   CASE WHEN NOT e.exact THEN w.first END, CASE WHEN NOT e.exact THEN w.last END,
                   w.readings, w.numbers, w.nulls, w.uncertain, w.bad, w.first_at, w.last_at,
                   w.late::integer + CASE WHEN r.whole IS FALSE THEN 6 ELSE 0 END
                       + CASE WHEN e.exact THEN (w.decimals + 1) << 8 ELSE 0 END,
                   w.parts)::telemetry.merged_part),
               sum(w.parts)
        INTO merged, parts
        FROM telemetry.window_merged w
        CROSS JOIN LATERAL (
            SELECT w.decimals IS NOT NULL AS exact,
                   w.decimals IS NOT NULL AND w.exact_sum IS NOT NULL
                       AND w.exact_sum BETWEEN -9223372036854775808 AND 9223372036854775807 AS fits) e
        LEFT JOIN LATERAL (
            SELECT i.integral, i.integral IS NOT NULL OR w.sum IS NULL AS whole
            FROM telemetry.window_integral(w.series, w.start, w.width, w.numbers) i(integral)) r ON w.disordered
        WHERE w.series = day.series AND w.width = day.width AND w.start = ANY (day.starts)
          AND w.start >= day.first AND w.start <= day.last
          AND w.changed_at < stored_before AND w.readings <= 2147483647
          AND (w.parts > 1 OR w.disordered AND NOT w.settled);
        CONTINUE WHEN merged IS NULL;
        EXECUTE format(
            'DELETE FROM telemetry.window_part WHERE series = %L::integer AND start >= %L::timestamptz '
            'AND start <= %L::timestamptz AND start = ANY ($1) AND width = $2 AND stored_at < $3',
            day.series, (SELECT min(m.start) FROM unnest(merged) m), (SELECT max(m.start) FROM unnest(merged) m))
        USING ARRAY(SELECT m.start FROM unnest(merged) m), day.width, stored_before;
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed <> parts THEN
            RAISE EXCEPTION 'parts of windows were removed while they were merged' USING ERRCODE = '40001';
        END IF;
        INSERT INTO telemetry.window_part (start, f_squares, f_integral, hash_sum, stored_at, i_sum, i_min, i_max,
            i_first, i_last, f_sum, f_min, f_max, f_first, f_last, series, width, readings, numbers, nulls, uncertain,
            bad, first_at, last_at, flags)
        SELECT m.start, m.f_squares, m.f_integral, m.hash_sum, m.stored_at, m.i_sum, m.i_min, m.i_max, m.i_first,
               m.i_last, m.f_sum, m.f_min, m.f_max, m.f_first, m.f_last, day.series, day.width, m.readings, m.numbers,
               m.nulls, m.uncertain, m.bad, m.first_at, m.last_at, m.flags
        FROM unnest(merged) m;
        windows := windows + cardinality(merged);
    END LOOP;
    RETURN windows;
END $$;
