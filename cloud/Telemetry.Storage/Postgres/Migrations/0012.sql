-- Upkeep merges the parts of windows, and windows have quantiles.

-- Counts of the values by logarithmic buckets; null where quantiles are off. See 0012.views.sql.
ALTER TABLE telemetry.window_part ADD COLUMN sketch bytea;
ALTER TABLE telemetry.window_width ADD COLUMN quantiles boolean NOT NULL DEFAULT false;

-- Where watermarks stood, once a day: a window that was complete then is complete for as long.
CREATE TABLE telemetry.watermark_mark (
    gateway   text COLLATE "C" NOT NULL,
    seen_at   timestamptz NOT NULL,
    watermark timestamptz NOT NULL,
    PRIMARY KEY (gateway, seen_at)
);

-- How far upkeep has merged the parts of a gateway's windows: those that were complete at the watermark merged_to, and
-- those that got late parts until revised_to.
CREATE TABLE telemetry.window_merging (
    gateway    text COLLATE "C" PRIMARY KEY,
    merged_to  timestamptz NOT NULL DEFAULT '-infinity',
    revised_to timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE INDEX window_revision_gateways ON telemetry.window_revision (gateway, at);

-- A row that upkeep writes in place of the parts of a window.
CREATE TYPE telemetry.merged_part AS (
    start      timestamptz,
    f_squares  double precision,
    f_integral double precision,
    hash_sum   bigint,
    stored_at  timestamptz,
    i_sum      bigint,
    i_min      bigint,
    i_max      bigint,
    i_first    bigint,
    i_last     bigint,
    f_sum      double precision,
    f_min      double precision,
    f_max      double precision,
    f_first    double precision,
    f_last     double precision,
    readings   integer,
    numbers    integer,
    nulls      integer,
    uncertain  integer,
    bad        integer,
    first_at   integer,
    last_at    integer,
    flags      smallint,
    sketch     bytea,
    parts      bigint
);

-- A part's flags: those of 0008.views.sql, and bit 2: when upkeep merged it, readings of its window were gone, so that
-- the time-weighted mean is not known of values that came out of the order of their times.

-- Sums of hashes are modulo 2^64, as a part has them: from -2^63 to 2^63 - 1.
CREATE FUNCTION telemetry.wrapped(number numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT mod(mod(number + 9223372036854775808, 18446744073709551616) + 18446744073709551616, 18446744073709551616)
        - 9223372036854775808
$$;

-- A sketch counts values by buckets that grow by a constant factor, so that a quantile has at most 1 % of relative
-- error. Bucket i has the values in (g^(i-1), g^i], where g = 1.01 / 0.99. Its key is i + 65536 for positive values,
-- the negative of that for negative ones, and 0 for what is nearer to zero than 1e-300. A sketch has at most 256
-- buckets: where there would be more, each two neighbours become one, which squares g and about doubles the error; the
-- level counts how often. Bytes: the level; then for each bucket, in the order of the keys, the difference to the key
-- before as a zigzag varint, and the count as a varint. Written by Windows/QuantileSketch.cs.
CREATE FUNCTION telemetry.sketch_buckets(sketch bytea, OUT keys integer[], OUT counts bigint[])
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    key integer := 0;
    number bigint := 0;
    shift integer := 0;
    byte integer;
    is_key boolean := true;
BEGIN
    FOR at IN 1 .. length(sketch) - 1 LOOP
        byte := get_byte(sketch, at);
        number := number | ((byte & 127)::bigint << shift);
        IF byte > 127 THEN
            shift := shift + 7;
            CONTINUE;
        END IF;
        IF is_key THEN
            key := key + ((number >> 1) # -(number & 1))::integer;
            keys := keys || key;
        ELSE
            counts := counts || number;
        END IF;
        is_key := NOT is_key;
        number := 0;
        shift := 0;
    END LOOP;
END $$;

CREATE FUNCTION telemetry.varint(number bigint) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(set_byte('\x00', 0, ((number >> (7 * n)) & 127)::integer
               | CASE WHEN number >> (7 * n + 7) > 0 THEN 128 ELSE 0 END), '' ORDER BY n)
    FROM generate_series(0, 8) n WHERE n = 0 OR number >> (7 * n) > 0
$$;

-- The key of the bucket that has this one after so many further levels.
CREATE FUNCTION telemetry.coarser_key(key integer, levels integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN key = 0 THEN 0
                ELSE sign(key)::integer * (ceil((abs(key) - 65536) / (2 ^ levels))::integer + 65536) END
$$;

CREATE FUNCTION telemetry.merged_sketch(sketches bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    level integer := 0;
    keys integer[];
    counts bigint[];
BEGIN
    IF cardinality(sketches) < 2 OR array_position(sketches, NULL) IS NOT NULL THEN
        RETURN CASE WHEN cardinality(sketches) = 1 THEN sketches[1] END;
    END IF;
    SELECT max(get_byte(s, 0)) INTO level FROM unnest(sketches) s;
    LOOP
        SELECT array_agg(m.key ORDER BY m.key), array_agg(m.count ORDER BY m.key) INTO keys, counts
        FROM (SELECT telemetry.coarser_key(b.key, level - get_byte(s, 0)) AS key, sum(b.count)::bigint AS count
              FROM unnest(sketches) s
              CROSS JOIN LATERAL telemetry.sketch_buckets(s) d
              CROSS JOIN LATERAL unnest(d.keys, d.counts) b(key, count)
              GROUP BY 1) m;
        EXIT WHEN coalesce(cardinality(keys), 0) <= 256;
        level := level + 1;
    END LOOP;
    RETURN set_byte('\x00', 0, level) || coalesce((
        SELECT string_agg(telemetry.varint(CASE WHEN k.step < 0 THEN -2 * k.step - 1 ELSE 2 * k.step END)
                   || telemetry.varint(k.count), '' ORDER BY k.key)
        FROM (SELECT b.key, b.count, (b.key - lag(b.key, 1, 0) OVER (ORDER BY b.key))::bigint AS step
              FROM unnest(keys, counts) b(key, count)) k), '');
END $$;

-- The sketch of all values; null if one of the sketches is.
CREATE AGGREGATE telemetry.merge_sketches(bytea) (
    SFUNC = array_append, STYPE = bytea[], FINALFUNC = telemetry.merged_sketch, PARALLEL = SAFE);

-- The value that the part q of all values does not exceed: of n values in order the one at 1 + q * (n - 1), rounded
-- down. Null without a value, and where q is not from 0 to 1.
CREATE FUNCTION telemetry.quantile(sketch bytea, q double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN b.key = 0 THEN 0
                WHEN e.exponent > 709.7 THEN sign(b.key) * 'Infinity'::double precision
                WHEN e.exponent < -700 THEN 0
                ELSE sign(b.key) * exp(e.exponent) END
    FROM (SELECT ln(1.01::double precision / 0.99::double precision) * 2 ^ get_byte(sketch, 0) AS growth) g
    CROSS JOIN telemetry.sketch_buckets(sketch) d
    CROSS JOIN LATERAL (
        SELECT u.key, sum(u.count) OVER (ORDER BY u.key) AS until, sum(u.count) OVER () AS total
        FROM unnest(d.keys, d.counts) u(key, count)) b
    CROSS JOIN LATERAL (
        SELECT (abs(b.key) - 65536) * g.growth
            - CASE WHEN g.growth < 700 THEN ln((1 + exp(g.growth)) / 2) ELSE g.growth END AS exponent) e
    WHERE q BETWEEN 0 AND 1 AND b.until > floor(q * (b.total - 1)::double precision)
    ORDER BY b.key LIMIT 1
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

-- The same within the least and the greatest value, which are exact.
CREATE FUNCTION telemetry.quantile_within(
    sketch bytea, q double precision, least_value double precision, greatest_value double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN sketch IS NOT NULL
                THEN greatest(least_value, least(greatest_value, telemetry.quantile(sketch, q))) END
$$;

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
    -- Retention has not begun with these windows, or the view does not show them: it takes this lock too
    -- ("telestep").
    PERFORM pg_advisory_xact_lock(8387229064031921520);
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
                   w.sketch, w.parts)::telemetry.merged_part),
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
            bad, first_at, last_at, flags, sketch)
        SELECT m.start, m.f_squares, m.f_integral, m.hash_sum, m.stored_at, m.i_sum, m.i_min, m.i_max, m.i_first,
               m.i_last, m.f_sum, m.f_min, m.f_max, m.f_first, m.f_last, day.series, day.width, m.readings, m.numbers,
               m.nulls, m.uncertain, m.bad, m.first_at, m.last_at, m.flags, m.sketch
        FROM unnest(merged) m;
        windows := windows + cardinality(merged);
    END LOOP;
    RETURN windows;
END $$;
