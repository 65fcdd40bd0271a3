using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;
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
            gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros, fired_micros,
            peak, gap_from, gap_to, checkpoint, memory_micros, memory)
        SELECT DISTINCT ON (gateway, rule, series_identity)
            gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros, fired_micros,
            peak, gap_from, gap_to, checkpoint, memory_micros, memory
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) WITH ORDINALITY
            u(gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros, fired_micros,
              peak, gap_from, gap_to, checkpoint, memory_micros, memory, n)
        ORDER BY gateway, rule, series_identity, n DESC
        ON CONFLICT (gateway, rule, series_identity) DO UPDATE
        SET rule_version = excluded.rule_version, state = excluded.state, instance = excluded.instance,
            started_micros = excluded.started_micros, time_micros = excluded.time_micros,
            fired_micros = excluded.fired_micros, peak = excluded.peak, gap_from = excluded.gap_from,
            gap_to = excluded.gap_to, checkpoint = excluded.checkpoint, memory_micros = excluded.memory_micros,
            memory = excluded.memory
        """);

    // Several rows of one instance in one commit are one: of how it was published first the first one counts, of the
    // rest the last one.
    private readonly RowsStatement _alerts = new("""
        INSERT INTO telemetry.alert AS a (
            id, gateway, rule, series_identity, rule_version, severity, state, began_micros, fired_micros, ended_micros,
            peak, late, delay_micros, revision, said, named_micros, published_at, changed_at)
        SELECT u.*, now(), now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) u
        ON CONFLICT (id) DO UPDATE
        SET rule_version = excluded.rule_version, state = excluded.state, began_micros = excluded.began_micros,
            fired_micros = excluded.fired_micros, ended_micros = excluded.ended_micros, peak = excluded.peak,
            revision = greatest(a.revision, excluded.revision), said = a.said | excluded.said, changed_at = now()
        """);

    private readonly RowsStatement _outbox = new("""
        INSERT INTO telemetry.alert_outbox (partition, number, chain, id, event, stored_at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5) u
        """);

    private readonly Action<StoreCommit> _fill;

    public AlertStatements() => _fill = RemoveStates() + States() + Alerts() + Outbox();

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        RowsStatement[] all = [_removeStates, _states, _alerts, _outbox];
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
        var (started, time, fired) = (_states.Numbers(), _states.Numbers(), _states.Numbers());
        var peak = _states.Column<double>(NpgsqlDbType.Double);
        var (gapFrom, gapTo) = (
            _states.Column<long?>(NpgsqlDbType.Bigint), _states.Column<long?>(NpgsqlDbType.Bigint));
        var checkpoint = _states.Column<byte[]?>(NpgsqlDbType.Bytea);
        var (memoryTime, memory) = (_states.Numbers(), _states.Column<double>(NpgsqlDbType.Double));
        return commit =>
        {
            foreach (var row in commit.AlertStates)
            {
                gateway.Add(row.Id.Gateway.Value);
                rule.Add(row.Id.Rule);
                series.Add(ColumnValues.Bytes(row.Id.Series));
                version.Add((long)row.RuleVersion);
                phase.Add((short)row.State.Phase);
                instance.Add(ColumnValues.Bytes(row.State.Instance));
                started.Add(row.State.StartedMicros);
                time.Add(row.State.TimeMicros);
                fired.Add(row.State.FiredMicros);
                peak.Add(row.State.Peak);
                gapFrom.Add(row.Gap?.FromMicros);
                gapTo.Add(row.Gap?.ToMicros);
                checkpoint.Add(row.Gap?.Checkpoint?.ToBytes());
                memoryTime.Add(row.State.Memory.TimeMicros);
                memory.Add(row.State.Memory.Value);
            }
        };
    }

    private Action<StoreCommit> Alerts()
    {
        var (id, gateway, rule, series) = (_alerts.Bytes(), _alerts.Texts(), _alerts.Texts(), _alerts.Bytes());
        var (version, severity, state) = (_alerts.Numbers(), _alerts.Texts(), _alerts.Small());
        var (began, fired, ended) = (
            _alerts.Numbers(), _alerts.Numbers(), _alerts.Column<long?>(NpgsqlDbType.Bigint));
        var (peak, late, delay) = (
            _alerts.Column<double>(NpgsqlDbType.Double), _alerts.Column<bool>(NpgsqlDbType.Boolean), _alerts.Numbers());
        var (revision, said, named) = (_alerts.Integers(), _alerts.Numbers(), _alerts.Numbers());
        var rows = new Dictionary<UInt128, AlertRow>();
        return commit =>
        {
            rows.Clear();
            foreach (var row in commit.Alerts)
            {
                rows[row.Id] = rows.TryGetValue(row.Id, out var before) ? before.Then(row) : row;
            }

            foreach (var row in rows.Values)
            {
                id.Add(ColumnValues.Bytes(row.Id));
                gateway.Add(row.Gateway.Value);
                rule.Add(row.Of.Rule);
                series.Add(ColumnValues.Bytes(row.Series));
                version.Add((long)row.RuleVersion);
                severity.Add(row.Severity);
                state.Add((short)row.State);
                began.Add(row.BeganMicros);
                fired.Add(row.FiredMicros);
                ended.Add(row.EndedMicros);
                peak.Add(row.Peak);
                late.Add(row.IsLate);
                delay.Add(row.DelayMicros);
                revision.Add(row.Revision);
                said.Add((long)row.Said);
                named.Add(row.NamedMicros);
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
