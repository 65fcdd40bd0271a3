-- How much of what was stored retention has removed.
CREATE VIEW telemetry.retired AS
SELECT gateway, metric, width, month, CASE WHEN width = 0 THEN removed ELSE 0 END AS readings,
       CASE WHEN width > 0 THEN removed ELSE 0 END AS parts
FROM telemetry.retirement_count;

-- Up to which event time retention has removed readings (width 0) or windows.
CREATE VIEW telemetry.retired_until AS
SELECT gateway, metric, width, begun AS until FROM telemetry.retirement;

-- Retired readings were stored, and count as such: retired says how many of them are not there any more.
CREATE VIEW telemetry.books AS
SELECT gateway, g.partition,
       -- What is settled was accepted, also where the gateway has not yet told its new total.
       least(greatest(coalesce(o.accepted, 0), coalesce(g.settled, 0)), 9223372036854775807)::bigint AS accepted,
       coalesce(g.stored, 0) AS stored,
       coalesce(g.rejected, 0) AS rejected,
       coalesce(g.dropped, 0) AS dropped,
       coalesce(g.lost, 0) AS lost,
       least(greatest(0, coalesce(o.accepted, 0) - coalesce(g.settled, 0)), 9223372036854775807)::bigint AS on_the_way,
       g.watermark,
       coalesce(g.fork, '') AS fork,
       coalesce((SELECT sum(c.removed) FROM telemetry.retirement_count c
                 WHERE c.gateway = coalesce(g.gateway, o.gateway) AND c.width = 0), 0)::bigint AS retired,
       (SELECT array_agg(DISTINCT m.site ORDER BY m.site) FROM telemetry.device_metadata m
        WHERE m.gateway = coalesce(g.gateway, o.gateway) AND m.site IS NOT NULL) AS sites
FROM (SELECT *, stored::numeric + rejected + dropped + lost AS settled FROM telemetry.gateway) g
FULL JOIN (SELECT gateway, sum(accepted) AS accepted FROM telemetry.outbox GROUP BY gateway) o USING (gateway);

-- Sequences that a gateway said it sealed and that are neither stored, rejected, dropped nor lost yet.
CREATE VIEW telemetry.unsettled AS
SELECT gateway, lpad(to_hex(epoch), 16, '0') AS epoch,
       (ARRAY['critical', 'live', 'backlog'])[lane + 1] AS lane, first, last, last - first + 1 AS sequences
FROM (SELECT gateway, epoch, lane, until + 1 AS first,
             coalesce(lead(start) OVER (lane_order) - 1, max(announced) OVER (lane_whole)) AS last
      FROM (SELECT e.gateway, e.epoch, k.lane, 1 AS start, coalesce(l.prefix, 0) AS until, k.announced
            FROM telemetry.epoch e
            CROSS JOIN LATERAL (VALUES (0, e.last_critical), (1, e.last_live), (2, e.last_backlog)) k(lane, announced)
            LEFT JOIN telemetry.lane l ON l.gateway = e.gateway AND l.epoch = e.epoch AND l.lane = k.lane
            WHERE NOT e.complete
            UNION ALL
            SELECT r.gateway, r.epoch, r.lane, r.first, r.last, 0
            FROM telemetry.run r JOIN telemetry.epoch e ON e.gateway = r.gateway AND e.epoch = r.epoch
            WHERE NOT e.complete) settled
      WINDOW lane_whole AS (PARTITION BY gateway, epoch, lane),
             lane_order AS (PARTITION BY gateway, epoch, lane ORDER BY start, until)) gap
WHERE first <= last;

-- Epochs that none names as its predecessor, and of which a later one is known: whoever made them did not come back.
CREATE VIEW telemetry.unclosed_epochs AS
SELECT gateway, lpad(to_hex(epoch), 16, '0') AS epoch, last_frame_at
FROM (SELECT *, max(last_frame_at) OVER (PARTITION BY gateway) AS newest
      FROM (SELECT *, CASE WHEN count(*) OVER (PARTITION BY gateway) > 1 THEN
                       (SELECT max(f.stored_at) FROM telemetry.frame_register f
                        WHERE f.gateway = h.gateway AND f.epoch = h.epoch) END AS last_frame_at
            FROM (SELECT e.gateway, e.epoch FROM telemetry.epoch e
                  WHERE NOT e.complete
                    AND NOT EXISTS (SELECT FROM telemetry.epoch n
                                    WHERE n.gateway = e.gateway AND n.predecessor = e.epoch)) h) f) n
WHERE newest IS NOT NULL AND last_frame_at IS DISTINCT FROM newest;

CREATE VIEW telemetry.watermarks AS
SELECT g.gateway, g.partition, s.sites, g.watermark, now() - g.watermark AS age,
       coalesce(nullif(concat_ws('; ',
           CASE WHEN p.lease_until IS NULL THEN format('a processor: partition %s never had one', g.partition)
                WHEN p.lease_until < now()
                    THEN format('a processor: partition %s has none since %s', g.partition,
                        to_char(p.lease_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')) END,
           CASE WHEN g.window_to < now() - interval '2 minutes' THEN 'its windows are folded anew' END,
           u.gaps,
           CASE WHEN w.messages > 0 THEN format('%s messages wait for a schema', w.messages) END,
           CASE WHEN c.epochs IS NOT NULL AND now() - g.watermark < interval '1 minute' IS NOT TRUE THEN c.epochs END),
           ''),
           CASE WHEN g.watermark IS NULL THEN 'nothing: no promise yet'
                WHEN g.watermark < now() - interval '1 minute' THEN format('nothing: no promise since %s',
                    to_char(g.watermark AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
                ELSE 'nothing' END) AS waits_for
FROM telemetry.gateway g
LEFT JOIN telemetry.partition p ON p.partition = g.partition
LEFT JOIN LATERAL (SELECT array_agg(DISTINCT m.site ORDER BY m.site) AS sites FROM telemetry.device_metadata m
                   WHERE m.gateway = g.gateway AND m.site IS NOT NULL) s ON true
LEFT JOIN LATERAL (
    SELECT string_agg(format('%s %s-%s of epoch %s sealed, not arrived', lane, first, last, epoch), '; '
               ORDER BY epoch, lane, first) FILTER (WHERE nr <= 3)
           || CASE WHEN count(*) > 3 THEN format('; and %s more', count(*) - 3) ELSE '' END AS gaps
    FROM (SELECT *, row_number() OVER (ORDER BY epoch, lane, first) AS nr
          FROM telemetry.unsettled WHERE gateway = g.gateway) n) u ON true
LEFT JOIN LATERAL (SELECT count(*) AS messages FROM telemetry.waiting_message WHERE gateway = g.gateway) w ON true
LEFT JOIN LATERAL (
    SELECT string_agg(format('epoch %s, which nobody closed', epoch), '; ' ORDER BY epoch) AS epochs
    FROM telemetry.unclosed_epochs WHERE gateway = g.gateway) c ON true;

CREATE VIEW telemetry.lag AS
SELECT b.gateway, b.partition, p.owner, b.sites, b.on_the_way,
       coalesce((SELECT sum(u.sequences) FROM telemetry.unsettled u
                 WHERE u.gateway = b.gateway), 0)::bigint AS unsettled,
       w.messages AS waiting_messages, w.since AS waiting_since, b.watermark, now() - b.watermark AS watermark_age,
       g.changed_at AS committed_at, now() - g.changed_at AS committed_age,
       v.messages AS live_messages, v.oldest_at AS live_oldest_at, k.messages AS backlog_messages,
       k.oldest_at AS backlog_oldest_at, least(v.removed_at, k.removed_at) AS removed_at,
       (ARRAY['none', 'info', 'warning', 'critical', 'outlives the log'])[greatest(v.stage, k.stage) + 1] AS stage,
       least(v.looked_at, k.looked_at) AS looked_at
FROM telemetry.books b
LEFT JOIN telemetry.gateway g ON g.gateway = b.gateway
LEFT JOIN telemetry.partition p ON p.partition = b.partition
LEFT JOIN telemetry.stream_lag v ON v.partition = b.partition AND v.stream = 'live'
LEFT JOIN telemetry.stream_lag k ON k.partition = b.partition AND k.stream = 'backlog'
LEFT JOIN LATERAL (SELECT count(*) AS messages, min(kept_at) AS since FROM telemetry.waiting_message
                   WHERE gateway = b.gateway) w ON true;

-- The least watermark of the gateways of each group. label is 'site', or a label of the devices. A gateway is missing
-- if it has no watermark, or one older than patience.
CREATE FUNCTION telemetry.fleet_watermark(label text, patience interval DEFAULT '5 minutes')
RETURNS TABLE (value text, gateways bigint, watermark timestamptz, age interval, missing text[],
    watermark_of_others timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT v.value, count(*), CASE WHEN count(b.watermark) = count(*) THEN min(b.watermark) END,
           CASE WHEN count(b.watermark) = count(*) THEN now() - min(b.watermark) END,
           coalesce(array_agg(v.gateway ORDER BY v.gateway) FILTER (WHERE m.missing), '{}'),
           min(b.watermark) FILTER (WHERE NOT m.missing)
    FROM (SELECT DISTINCT a.gateway, t.value
          FROM (SELECT gateway FROM telemetry.devices UNION SELECT gateway FROM telemetry.books) a
          LEFT JOIN (SELECT gateway, CASE $1 WHEN 'site' THEN site ELSE labels ->> $1 END AS value
                     FROM telemetry.devices) t ON t.gateway = a.gateway AND t.value IS NOT NULL) v
    LEFT JOIN telemetry.books b USING (gateway)
    CROSS JOIN LATERAL (SELECT coalesce(b.watermark < now() - $2, true) AS missing) m
    GROUP BY v.value
    ORDER BY v.value
$$;

CREATE VIEW telemetry.fleet_watermark_by_site AS
SELECT value AS site, gateways, watermark, age, missing, watermark_of_others FROM telemetry.fleet_watermark('site');

-- Which gateways are connected. What an ingress said holds until it is silent for 40 s; while no processor works, nobody
-- writes what ingresses say, so the silence is counted up to the newest lease.
CREATE VIEW telemetry.presence AS
SELECT p.gateway, p.connected AND s.alive AS connected,
       CASE WHEN p.connected AND NOT s.alive THEN coalesce(i.said_at, p.changed_at) ELSE p.since END AS since,
       i.ingress, p.version AS agent_version, p.clock_offset, p.clock_synchronised, i.said_at, p.changed_at
FROM telemetry.gateway_presence p
LEFT JOIN telemetry.ingress_run i ON i.run = p.run
CROSS JOIN LATERAL (
    SELECT coalesce(i.said_at > least(now(), (SELECT max(lease_until) FROM telemetry.partition)) - interval '40 s',
        false) AS alive) s;
