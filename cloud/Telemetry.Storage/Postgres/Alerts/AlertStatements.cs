using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>
/// Writes the states of the rules, and their transitions. States are removed first; of equal keys the last one counts.
/// The outbox is only added to: its numbers were given under the lock of the partitions' rows.
/// </summary>
internal sealed class AlertStatements
{
    private readonly RowsStatement _removeStates = new("""
        DELETE FROM telemetry.alert_state s USING unnest($1, $2, $3) u(gateway, rule, series_identity)
        WHERE s.gateway = u.gateway AND s.rule = u.rule AND s.series_identity = u.series_identity
        """);

    private readonly RowsStatement _states = new("""
        INSERT INTO telemetry.alert_state (
            gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros)
        SELECT DISTINCT ON (gateway, rule, series_identity)
            gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
            u(gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros, n)
        ORDER BY gateway, rule, series_identity, n DESC
        ON CONFLICT (gateway, rule, series_identity) DO UPDATE
        SET rule_version = excluded.rule_version, state = excluded.state, instance = excluded.instance,
            started_micros = excluded.started_micros, time_micros = excluded.time_micros
        """);

    private readonly RowsStatement _outbox = new("""
        INSERT INTO telemetry.alert_outbox (partition, number, chain, id, event, stored_at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5) u
        """);

    private readonly Action<StoreCommit> _fill;

    public AlertStatements() => _fill = RemoveStates() + States() + Outbox();

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        RowsStatement[] all = [_removeStates, _states, _outbox];
        Array.ForEach(all, statement => statement.Clear());
        _fill(commit);
        Array.ForEach(all, statement => statement.AddTo(batch));
    }

    private Action<StoreCommit> RemoveStates()
    {
        var (gateway, rule, series) = (_removeStates.Texts(), _removeStates.Texts(), _removeStates.Bytes());
        return commit =>
        {
            foreach (var id in commit.RemovedAlertStates)
            {
                gateway.Add(id.Gateway.Value);
                rule.Add(id.Rule);
                series.Add(ColumnValues.Bytes(id.Series));
            }
        };
    }

    private Action<StoreCommit> States()
    {
        var (gateway, rule, series) = (_states.Texts(), _states.Texts(), _states.Bytes());
        var (version, phase, instance) = (_states.Numbers(), _states.Small(), _states.Bytes());
        var (started, time) = (_states.Numbers(), _states.Numbers());
        return commit =>
        {
            foreach (var row in commit.AlertStates)
            {
                gateway.Add(row.Id.Gateway.Value);
                rule.Add(row.Id.Rule);
                series.Add(ColumnValues.Bytes(row.Id.Series));
                version.Add((long)row.RuleVersion);
                phase.Add((short)row.Phase);
                instance.Add(ColumnValues.Bytes(row.Instance));
                started.Add(row.StartedMicros);
                time.Add(row.TimeMicros);
            }
        };
    }

    private Action<StoreCommit> Outbox()
    {
        var (partition, number, chain) = (_outbox.Integers(), _outbox.Numbers(), _outbox.Bytes());
        var (id, json) = (_outbox.Texts(), _outbox.Bytes());
        return commit =>
        {
            foreach (var row in commit.AlertOutbox)
            {
                partition.Add(row.Partition);
                number.Add(row.Head.Number);
                chain.Add(ColumnValues.Bytes(row.Head.Chain));
                id.Add(row.Id);
                json.Add(row.Json.ToArray());
            }
        };
    }
}
