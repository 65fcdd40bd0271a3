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
