using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Acts;
using Telemetry.Storage.Fleet;
using Telemetry.Storage.Postgres.DeadLetters;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Acts;

/// <summary>
/// The table <c>alert_act</c>, and what else people change from the dashboard. An act and its row of the audit are one
/// statement, so that no transaction is open while this process is frozen. Nothing that an owner writes is locked.
/// </summary>
public sealed class OperatorActs(string connectionString, ReadingCheck check) : IOperatorActs, IAsyncDisposable
{
    private const string Audit = """
        INSERT INTO telemetry.operator_act (at, operator, act, gateway, reason, note, readings, detail)
        SELECT now(), $1 || ' (database user ' || session_user || ')',
        """;

    // The unique index decides which of two at once was first; the other one inserts nothing.
    private const string AcknowledgeSql = $"""
        WITH seen AS (
            SELECT id, gateway, state, revision FROM telemetry.alert
            WHERE id = $2 AND ($5::text[] IS NULL OR telemetry.gateway_at(gateway, $5))),
        act AS (
            INSERT INTO telemetry.alert_act (at, actor, kind, alert, revision, comment)
            SELECT now(), $1, 0, id, revision, $4 FROM seen WHERE state = 0 AND revision = $3
            ON CONFLICT (alert, revision) WHERE kind = 0 DO NOTHING RETURNING id),
        audit AS (
            {Audit} 'alert acknowledge', s.gateway, '', $4, 0,
                'alert ' || encode(s.id, 'hex') || ' revision ' || s.revision
            FROM act, seen s)
        SELECT CASE WHEN EXISTS (SELECT FROM act) THEN 'done'
                    WHEN s.state = 2 THEN 'the alert was retracted'
                    WHEN s.state = 1 THEN 'the alert is resolved'
                    WHEN s.revision <> $3 THEN 'the alert was revised: its revision is ' || s.revision
                    ELSE coalesce('the alert was acknowledged by ' || (
                        SELECT a.actor FROM telemetry.alert_act a
                        WHERE a.kind = 0 AND a.alert = s.id AND a.revision = s.revision), 'the alert was acknowledged')
               END
        FROM seen s
        """;

    private const string SilenceSql = $"""
        WITH act AS (
            INSERT INTO telemetry.alert_act (at, actor, kind, comment, matcher, sites, until)
            VALUES (now(), $1, 1, $3, $2::jsonb, coalesce($5, '{"{}"}'), $4) RETURNING id),
        audit AS (
            {Audit} 'alert silence', coalesce($2::jsonb ->> 'gateway', ''), '', $3, 0,
                'silence ' || id || ' until ' || $4::timestamptz || ': ' || $2 FROM act)
        SELECT id FROM act
        """;

    private const string EndSilenceSql = $"""
        WITH seen AS (
            SELECT id, until, EXISTS (SELECT FROM telemetry.alert_act e WHERE e.kind = 2 AND e.silence = $2) AS ended
            FROM telemetry.alert_act WHERE id = $2 AND kind = 1
                AND ($3::text[] IS NULL OR (cardinality(sites) > 0 AND sites <@ $3))),
        act AS (
            INSERT INTO telemetry.alert_act (at, actor, kind, comment, silence)
            SELECT now(), $1, 2, '', id FROM seen WHERE until > now() AND NOT ended
            ON CONFLICT (silence) WHERE kind = 2 DO NOTHING RETURNING id),
        audit AS ({Audit} 'alert silence end', '', '', '', 0, 'silence ' || $2::bigint FROM act)
        SELECT CASE WHEN EXISTS (SELECT FROM act) THEN 'done' ELSE 'the silence has ended' END FROM seen
        """;

    private const string SilencesSql = """
        SELECT coalesce(json_agg(json_build_object(
            'id', id, 'by', actor, 'at', at, 'until', until, 'reason', comment, 'matcher', matcher, 'sites', sites)
            ORDER BY until, id), '[]')::text
        FROM telemetry.alert_act a
        WHERE kind = 1 AND until > now() AND ($1::text[] IS NULL OR (cardinality(sites) > 0 AND sites <@ $1))
            AND NOT EXISTS (SELECT FROM telemetry.alert_act e WHERE e.kind = 2 AND e.silence = a.id)
        """;

    private const string LetterSql = """
        SELECT gateway FROM telemetry.dead_letter
        WHERE id = $1 AND ($2::text[] IS NULL OR telemetry.gateway_at(gateway, $2))
        """;

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = 4,
            CommandTimeout = 15,
            TcpKeepAlive = true,
        });

    public async Task<ActOutcome> AcknowledgeAsync(
        Actor actor, byte[] alert, int revision, string comment, CancellationToken cancellationToken) => Outcome(
        await AskAsync<string>(
            "acknowledge an alert", AcknowledgeSql, cancellationToken, Text(actor.Name),
            new NpgsqlParameter { Value = alert, NpgsqlDbType = NpgsqlDbType.Bytea },
            new NpgsqlParameter { Value = revision, NpgsqlDbType = NpgsqlDbType.Integer }, Text(comment),
            SiteParameter.Of(actor.Limit)));

    public async Task<long> SilenceAsync(Actor actor, Silence silence, CancellationToken cancellationToken) =>
        await AskAsync<object>(
            "silence alerts", SilenceSql, cancellationToken, Text(actor.Name),
            Text(Encoding.UTF8.GetString(silence.Matcher)), Text(silence.Reason),
            new NpgsqlParameter { Value = silence.Until, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            SiteParameter.Of(actor.Limit)) is long id ? id : 0;

    public async Task<ActOutcome> EndSilenceAsync(Actor actor, long silence, CancellationToken cancellationToken) =>
        Outcome(await AskAsync<string>(
            "end a silence", EndSilenceSql, cancellationToken, Text(actor.Name), Number(silence),
            SiteParameter.Of(actor.Limit)));

    public async Task<byte[]> SilencesAsync(SiteLimit limit, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetBytes(await AskAsync<string>(
            "read silences", SilencesSql, cancellationToken, SiteParameter.Of(limit)) ?? "[]");

    public async Task<ActOutcome> RetryAsync(Actor actor, long letter, CancellationToken cancellationToken)
    {
        var gateway = await AskAsync<string>(
            "find a dead letter", LetterSql, cancellationToken, Number(letter), SiteParameter.Of(actor.Limit));
        if (gateway is null)
        {
            return new ActOutcome(ActResult.NotFound);
        }

        var retry = new DeadLetterRetry(_database, check)
        {
            Audit = readings => new OperatorAct(
                actor.Name, "dead-letters retry", gateway, "", "", readings,
                string.Create(CultureInfo.InvariantCulture, $"letter {letter}")),
        };
        await foreach (var outcome in retry.RunAsync(gateway, [letter], cancellationToken))
        {
            return outcome.Why is null ? ActOutcome.Done : new ActOutcome(ActResult.Conflict, outcome.Why);
        }

        return new ActOutcome(ActResult.NotFound);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static ActOutcome Outcome(string? said) => said switch
    {
        null => new ActOutcome(ActResult.NotFound),
        "done" => ActOutcome.Done,
        _ => new ActOutcome(ActResult.Conflict, said),
    };

    private static NpgsqlParameter Text(string value) =>
        new() { Value = ColumnValues.Text(value), NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Number(long value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private async Task<T?> AskAsync<T>(
        string what, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
        where T : class
    {
        try
        {
            await using var command = _database.CreateCommand(sql);
            command.Parameters.AddRange(parameters);
            return await command.ExecuteScalarAsync(cancellationToken) as T;
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From(what, e);
        }
    }
}
