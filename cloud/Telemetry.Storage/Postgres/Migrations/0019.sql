-- Who may look at the dashboard and act there, and what people did.

CREATE TABLE telemetry.dashboard_user (
    name       text COLLATE "C" PRIMARY KEY,
    role       smallint NOT NULL CHECK (role BETWEEN 0 AND 2),
    sites      text[] NOT NULL,
    salt       bytea NOT NULL,
    rounds     integer NOT NULL,
    hash       bytea NOT NULL,
    disabled   boolean NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON COLUMN telemetry.dashboard_user.role IS '0 viewer, 1 operator, 2 admin';
COMMENT ON COLUMN telemetry.dashboard_user.sites IS 'empty for all';

-- Sessions of browsers, and tokens of scripts. The secret itself is nowhere, only its SHA-256.
CREATE TABLE telemetry.dashboard_session (
    hash       bytea PRIMARY KEY,
    user_name  text COLLATE "C" NOT NULL REFERENCES telemetry.dashboard_user ON DELETE CASCADE,
    token      boolean NOT NULL,
    note       text NOT NULL,
    created_at timestamptz NOT NULL,
    until      timestamptz NOT NULL
);
CREATE INDEX dashboard_session_user ON telemetry.dashboard_session (user_name);

-- What people did with alerts, only ever added to: 0 acknowledge, 1 silence, 2 end of a silence.
CREATE TABLE telemetry.alert_act (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    kind     smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
    alert    bytea,
    revision integer,
    comment  text NOT NULL,
    matcher  jsonb,
    sites    text[],
    until    timestamptz,
    silence  bigint,
    CHECK (CASE kind WHEN 0 THEN alert IS NOT NULL AND revision IS NOT NULL
                     WHEN 1 THEN matcher IS NOT NULL AND sites IS NOT NULL AND until IS NOT NULL
                     ELSE silence IS NOT NULL END)
);
COMMENT ON COLUMN telemetry.alert_act.sites IS 'of a silence: it hides alerts of these alone; empty for all';
-- One acknowledges what was seen, once; one ends a silence, once.
CREATE UNIQUE INDEX alert_act_acknowledge ON telemetry.alert_act (alert, revision) WHERE kind = 0;
CREATE UNIQUE INDEX alert_act_end ON telemetry.alert_act (silence) WHERE kind = 2;
CREATE INDEX alert_act_until ON telemetry.alert_act (until) WHERE kind = 1;

CREATE FUNCTION telemetry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME;
END $$;
CREATE TRIGGER alert_act_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON telemetry.alert_act
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.refuse_change();

-- The sites of a gateway's devices decide who sees the gateway: all of them must be among the visitor's.
CREATE FUNCTION telemetry.gateway_at(of_gateway text, sites text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(site = ANY (sites)), false) FROM telemetry.device_metadata
    WHERE gateway = of_gateway AND site IS NOT NULL
$$;

-- The same of all gateways, for questions about many of them: it is computed once.
CREATE FUNCTION telemetry.gateways_at(sites text[]) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT gateway FROM telemetry.device_metadata WHERE site IS NOT NULL
    GROUP BY gateway HAVING bool_and(site = ANY (sites))
$$;

-- Does a silence's matcher hold for an alert? Each of its properties must be equal; labels may have further keys.
CREATE FUNCTION telemetry.alert_matches(
    matcher jsonb, rule text, severity text, gateway text, device text, metric text, site text, labels jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(matcher ->> 'rule' = rule, NOT matcher ? 'rule')
       AND coalesce(matcher ->> 'severity' = severity, NOT matcher ? 'severity')
       AND coalesce(matcher ->> 'gateway' = gateway, NOT matcher ? 'gateway')
       AND coalesce(matcher ->> 'device' = device, NOT matcher ? 'device')
       AND coalesce(matcher ->> 'metric' = metric, NOT matcher ? 'metric')
       AND coalesce(matcher ->> 'site' = site, NOT matcher ? 'site')
       AND coalesce(labels @> (matcher -> 'labels'), NOT matcher ? 'labels')
$$;
