using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Partitions;

/// <summary>
/// The compare-and-set of the partitions' rows, in one statement that waits for no other transaction: it takes the free
/// advisory locks, then the free row locks, and changes the rows that equal what their owner remembers.
/// </summary>
internal sealed class PartitionStatements
{
    private const string StepSql = """
        WITH held AS MATERIALIZED (
            SELECT p.partition FROM unnest($1) p(partition) WHERE pg_try_advisory_xact_lock(1952803952, p.partition)
        ), mine AS MATERIALIZED (
            SELECT p.partition FROM telemetry.partition p JOIN held USING (partition) FOR UPDATE OF p SKIP LOCKED
        )
        UPDATE telemetry.partition p
        SET commits = p.commits + 1, lease_until = now() + u.lease,
            live_created = u.live_created, live_sequence = u.live_sequence,
            live_message = u.live_message, live_stored = u.live_stored,
            backlog_created = u.backlog_created, backlog_sequence = u.backlog_sequence,
            backlog_message = u.backlog_message, backlog_stored = u.backlog_stored,
            alert_number = u.alert_number, alert_chain = u.alert_chain
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
            u(partition, token, commits, lease,
              old_live_created, old_live_sequence, old_live_message, old_live_stored,
              old_backlog_created, old_backlog_sequence, old_backlog_message, old_backlog_stored,
              live_created, live_sequence, live_message, live_stored,
              backlog_created, backlog_sequence, backlog_message, backlog_stored, alert_number, alert_chain)
        JOIN mine USING (partition)
        WHERE p.partition = u.partition AND p.token = u.token AND p.commits = u.commits
          AND p.live_created = u.old_live_created AND p.live_sequence = u.old_live_sequence
          AND p.live_message = u.old_live_message AND p.live_stored = u.old_live_stored
          AND p.backlog_created = u.old_backlog_created AND p.backlog_sequence = u.old_backlog_sequence
          AND p.backlog_message = u.old_backlog_message AND p.backlog_stored = u.old_backlog_stored
        RETURNING p.partition
        """;

    private readonly RowsStatement _step = new(StepSql);
    private readonly List<int> _partition;
    private readonly List<long> _token, _commits;
    private readonly List<TimeSpan> _lease;
    private readonly PositionColumns _oldLive, _oldBacklog, _live, _backlog;
    private readonly List<long> _alertNumber;
    private readonly List<byte[]> _alertChain;

    public PartitionStatements()
    {
        _partition = _step.Integers();
        _token = _step.Numbers();
        _commits = _step.Numbers();
        _lease = _step.Column<TimeSpan>(NpgsqlDbType.Interval);
        _oldLive = new PositionColumns(_step);
        _oldBacklog = new PositionColumns(_step);
        _live = new PositionColumns(_step);
        _backlog = new PositionColumns(_step);
        _alertNumber = _step.Numbers();
        _alertChain = _step.Bytes();
    }

    /// <summary>
    /// Runs the statement. Returns the partitions whose row is not what its owner remembers, or that another
    /// transaction holds; if there is one, the caller rolls back.
    /// </summary>
    public async Task<IReadOnlyCollection<int>> ExecuteAsync(
        NpgsqlConnection connection, List<PartitionStep> steps, CancellationToken cancellationToken)
    {
        _step.Clear();
        foreach (var step in steps)
        {
            _partition.Add(step.Expected.Partition);
            _token.Add((long)step.Expected.Token);
            _commits.Add(step.Expected.Commits);
            _lease.Add(step.Lease);
            _oldLive.Add(step.Expected.Live);
            _oldBacklog.Add(step.Expected.Backlog);
            _live.Add(step.Live);
            _backlog.Add(step.Backlog);
            _alertNumber.Add(step.Alerts.Number);
            _alertChain.Add(ColumnValues.Bytes(step.Alerts.Chain));
        }

        await using var batch = new NpgsqlBatch(connection);
        _step.AddTo(batch);
        var missed = new HashSet<int>(_partition);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            missed.Remove(reader.GetInt32(0));
        }

        return missed;
    }

    private sealed class PositionColumns(RowsStatement statement)
    {
        private readonly List<long> _created = statement.Numbers(), _sequence = statement.Numbers();
        private readonly List<string> _message = statement.Texts();
        private readonly List<long> _stored = statement.Numbers();

        public void Add(StreamPosition position)
        {
            _created.Add(position.StreamCreatedNanos);
            _sequence.Add(position.Sequence);
            _message.Add(position.MessageId);
            _stored.Add(position.StoredAtNanos);
        }
    }
}
