using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Ledger;

/// <summary>
/// Writes the ledger: runs are removed first; then each row replaces the one with the same key (of equal keys the last
/// one counts); at the end the lanes and settled runs of epochs that became complete are removed.
/// </summary>
internal sealed class LedgerStatements
{
    private readonly RowsStatement _removeRuns = new("""
        DELETE FROM telemetry.run r USING unnest($1, $2, $3, $4) u(gateway, epoch, lane, first)
        WHERE r.gateway = u.gateway AND r.epoch = u.epoch AND r.lane = u.lane AND r.first = u.first
        """);

    private readonly RowsStatement _removeLanes = new("""
        DELETE FROM telemetry.lane l USING unnest($1, $2) u(gateway, epoch)
        WHERE l.gateway = u.gateway AND l.epoch = u.epoch
        """);

    private readonly RowsStatement _removeSettledRuns = new("""
        DELETE FROM telemetry.run r USING unnest($1, $2) u(gateway, epoch)
        WHERE r.gateway = u.gateway AND r.epoch = u.epoch AND r.state = 0
        """);

    private readonly RowsStatement _gateways = new("""
        INSERT INTO telemetry.gateway (
            gateway, partition, stored, rejected, dropped, lost, watermark, fork, window_from, window_to, changed_at)
        SELECT DISTINCT ON (gateway)
            gateway, partition, stored, rejected, dropped, lost, watermark, fork, window_from, window_to, now()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
            u(gateway, partition, stored, rejected, dropped, lost, watermark, fork, window_from, window_to, n)
        ORDER BY gateway, n DESC
        ON CONFLICT (gateway) DO UPDATE
        SET partition = excluded.partition, stored = excluded.stored, rejected = excluded.rejected,
            dropped = excluded.dropped, lost = excluded.lost, watermark = excluded.watermark, fork = excluded.fork,
            window_from = excluded.window_from, window_to = excluded.window_to, changed_at = excluded.changed_at
        """);

    private readonly RowsStatement _outboxes = new("""
        INSERT INTO telemetry.outbox AS o (gateway, outbox, accepted)
        SELECT gateway, outbox, max(accepted) FROM unnest($1, $2, $3) u(gateway, outbox, accepted)
        GROUP BY gateway, outbox ORDER BY gateway, outbox
        ON CONFLICT (gateway, outbox) DO UPDATE SET accepted = excluded.accepted WHERE o.accepted < excluded.accepted
        """);

    private readonly RowsStatement _epochs = new("""
        INSERT INTO telemetry.epoch (gateway, epoch, predecessor, predecessor_critical, predecessor_live,
            predecessor_backlog, complete, last_critical, last_live, last_backlog, outbox)
        SELECT DISTINCT ON (gateway, epoch) gateway, epoch, predecessor, predecessor_critical, predecessor_live,
            predecessor_backlog, complete, last_critical, last_live, last_backlog, outbox
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) WITH ORDINALITY
            u(gateway, epoch, predecessor, predecessor_critical, predecessor_live, predecessor_backlog,
              complete, last_critical, last_live, last_backlog, outbox, n)
        ORDER BY gateway, epoch, n DESC
        ON CONFLICT (gateway, epoch) DO UPDATE
        SET predecessor = excluded.predecessor, predecessor_critical = excluded.predecessor_critical,
            predecessor_live = excluded.predecessor_live, predecessor_backlog = excluded.predecessor_backlog,
            complete = excluded.complete, last_critical = excluded.last_critical, last_live = excluded.last_live,
            last_backlog = excluded.last_backlog, outbox = excluded.outbox
        """);

    private readonly RowsStatement _lanes = new("""
        INSERT INTO telemetry.lane (gateway, epoch, lane, prefix, prefix_share)
        SELECT DISTINCT ON (gateway, epoch, lane) gateway, epoch, lane, prefix, prefix_share
        FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY u(gateway, epoch, lane, prefix, prefix_share, n)
        ORDER BY gateway, epoch, lane, n DESC
        ON CONFLICT (gateway, epoch, lane) DO UPDATE SET prefix = excluded.prefix, prefix_share = excluded.prefix_share
        """);

    private readonly RowsStatement _runs = new("""
        INSERT INTO telemetry.run (gateway, epoch, lane, first, last, state, share, time_first, time_last)
        SELECT DISTINCT ON (gateway, epoch, lane, first) gateway, epoch, lane, first, last, state, share,
            CASE WHEN state = 1 THEN (
                SELECT f.time_last FROM telemetry.frame_register f
                WHERE f.gateway = u.gateway AND f.epoch = u.epoch AND f.lane = u.lane AND f.first < u.first
                    AND f.stored > 0
                ORDER BY f.first DESC LIMIT 1) END,
            CASE WHEN state = 1 THEN (
                SELECT f.time_first FROM telemetry.frame_register f
                WHERE f.gateway = u.gateway AND f.epoch = u.epoch AND f.lane = u.lane AND f.first > u.last
                    AND f.stored > 0
                ORDER BY f.first LIMIT 1) END
        FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY u(gateway, epoch, lane, first, last, state, share, n)
        ORDER BY gateway, epoch, lane, first, n DESC
        ON CONFLICT (gateway, epoch, lane, first) DO UPDATE
        SET last = excluded.last, state = excluded.state, share = excluded.share,
            time_first = excluded.time_first, time_last = excluded.time_last
        """);

    private readonly Action<StoreCommit> _fill;

    public LedgerStatements() =>
        _fill = RemoveRuns() + RemoveLanes() + Gateways() + Outboxes() + Epochs() + Lanes() + Runs();

    private RowsStatement[] All =>
        [_removeRuns, _gateways, _outboxes, _epochs, _lanes, _runs, _removeLanes, _removeSettledRuns];

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        foreach (var statement in All)
        {
            statement.Clear();
        }

        _fill(commit);
        foreach (var statement in All)
        {
            statement.AddTo(batch);
        }
    }

    private Action<StoreCommit> RemoveRuns()
    {
        var (gateway, epoch, lane, first) =
            (_removeRuns.Texts(), _removeRuns.Numbers(), _removeRuns.Small(), _removeRuns.Numbers());
        return commit =>
        {
            foreach (var row in commit.RemovedRuns)
            {
                gateway.Add(row.Gateway.Value);
                epoch.Add((long)row.Epoch);
                lane.Add((short)row.Lane);
                first.Add(row.First);
            }
        };
    }

    private Action<StoreCommit> RemoveLanes()
    {
        var (gateway, epoch) = (_removeLanes.Texts(), _removeLanes.Numbers());
        var (runGateway, runEpoch) = (_removeSettledRuns.Texts(), _removeSettledRuns.Numbers());
        return commit =>
        {
            foreach (var row in commit.RemovedLanes)
            {
                gateway.Add(row.Gateway.Value);
                epoch.Add((long)row.Epoch);
                runGateway.Add(row.Gateway.Value);
                runEpoch.Add((long)row.Epoch);
            }
        };
    }

    private Action<StoreCommit> Gateways()
    {
        var (gateway, partition) = (_gateways.Texts(), _gateways.Integers());
        var (stored, rejected) = (_gateways.Numbers(), _gateways.Numbers());
        var (dropped, lost) = (_gateways.Numbers(), _gateways.Numbers());
        var watermark = _gateways.Column<DateTime?>(NpgsqlDbType.TimestampTz);
        var fork = _gateways.Texts();
        var windowFrom = _gateways.Column<DateTime?>(NpgsqlDbType.TimestampTz);
        var windowTo = _gateways.Column<DateTime?>(NpgsqlDbType.TimestampTz);
        return commit =>
        {
            foreach (var row in commit.Gateways)
            {
                gateway.Add(row.Gateway.Value);
                partition.Add(row.Partition);
                stored.Add(row.Stored);
                rejected.Add(row.Rejected);
                dropped.Add(row.Dropped);
                lost.Add(row.Lost);
                watermark.Add(row.Watermark == long.MinValue ? null : ColumnValues.Time(row.Watermark));
                fork.Add(ColumnValues.Text(row.Fork));
                windowFrom.Add(row.OpenWindows.IsEmpty ? null : ColumnValues.Time(row.OpenWindows.From));
                windowTo.Add(row.OpenWindows.IsEmpty ? null : ColumnValues.Time(row.OpenWindows.To));
            }
        };
    }

    private Action<StoreCommit> Outboxes()
    {
        var (gateway, outbox, accepted) = (_outboxes.Texts(), _outboxes.Numbers(), _outboxes.Numbers());
        return commit =>
        {
            foreach (var row in commit.Outboxes)
            {
                gateway.Add(row.Gateway.Value);
                outbox.Add((long)row.Outbox);
                accepted.Add(row.Accepted);
            }
        };
    }

    private Action<StoreCommit> Epochs()
    {
        var (gateway, epoch) = (_epochs.Texts(), _epochs.Numbers());
        var predecessor = new List<long?>[4];
        for (var i = 0; i < predecessor.Length; i++)
        {
            predecessor[i] = _epochs.Column<long?>(NpgsqlDbType.Bigint);
        }

        var complete = _epochs.Column<bool>(NpgsqlDbType.Boolean);
        var (critical, live, backlog) = (_epochs.Numbers(), _epochs.Numbers(), _epochs.Numbers());
        var outbox = _epochs.Column<long?>(NpgsqlDbType.Bigint);
        return commit =>
        {
            foreach (var row in commit.Epochs)
            {
                gateway.Add(row.Gateway.Value);
                epoch.Add((long)row.Epoch);
                predecessor[0].Add((long?)row.Predecessor?.Epoch);
                predecessor[1].Add(row.Predecessor?.Lasts.Critical);
                predecessor[2].Add(row.Predecessor?.Lasts.Live);
                predecessor[3].Add(row.Predecessor?.Lasts.Backlog);
                complete.Add(row.Complete);
                critical.Add(row.Lasts.Critical);
                live.Add(row.Lasts.Live);
                backlog.Add(row.Lasts.Backlog);
                outbox.Add((long?)row.Outbox);
            }
        };
    }

    private Action<StoreCommit> Lanes()
    {
        var (gateway, epoch, lane) = (_lanes.Texts(), _lanes.Numbers(), _lanes.Small());
        var (prefix, share) = (_lanes.Numbers(), _lanes.Numbers());
        return commit =>
        {
            foreach (var row in commit.Lanes)
            {
                gateway.Add(row.Gateway.Value);
                epoch.Add((long)row.Epoch);
                lane.Add((short)row.Lane);
                prefix.Add(row.Prefix);
                share.Add((long)row.PrefixShare);
            }
        };
    }

    private Action<StoreCommit> Runs()
    {
        var (gateway, epoch, lane) = (_runs.Texts(), _runs.Numbers(), _runs.Small());
        var (first, last) = (_runs.Numbers(), _runs.Numbers());
        var (state, share) = (_runs.Small(), _runs.Numbers());
        return commit =>
        {
            foreach (var row in commit.Runs)
            {
                gateway.Add(row.Gateway.Value);
                epoch.Add((long)row.Epoch);
                lane.Add((short)row.Lane);
                first.Add(row.Run.Range.First);
                last.Add(row.Run.Range.Last);
                state.Add((short)row.Run.State);
                share.Add((long)row.Run.Share);
            }
        };
    }
}
