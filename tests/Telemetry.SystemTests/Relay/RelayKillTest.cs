using System.Globalization;
using Npgsql;
using Telemetry.TestKit.Contracts;

namespace Telemetry.SystemTests.Relay;

/// <summary>How long the relay's kill test is.</summary>
/// <param name="Transitions">Different transitions that are written while relays are killed.</param>
/// <param name="Kills">SIGKILLs of relays, every third one inside an open transaction.</param>
public sealed record RelayKillOptions(int Transitions = 20_000, int Kills = 24)
{
    /// <summary>For a test suite.</summary>
    public static RelayKillOptions Short { get; } = new(1_000, 6);
}

/// <summary>
/// Kills the relay again and again while transitions are written, also inside an open transaction and right behind a
/// commit, kills the broker and PostgreSQL, takes the lease away, and puts PostgreSQL back to an earlier copy once. In
/// the end a read_committed consumer must see each id once on the alert topic and on the topic of each route that it
/// fits, a read_uncommitted one more records than that, and the topic of open alerts must hold the last state of each.
/// </summary>
public sealed class RelayKillTest(RelayKillOptions options, TextWriter output)
{
    private const int Partitions = 4;
    private const int RowsMax = 12;
    private const int WaitingMax = 200;
    private const int TwiceShown = 20;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly AlertScript _script = new(Partitions, new Random(7));

    /// <summary>SIGKILLs so far, those at a crash point included.</summary>
    public int Kills { get; private set; }

    /// <summary>Those of them inside an open transaction.</summary>
    public int KillsInTransaction { get; private set; }

    /// <summary>Times that a relay was fenced by the other.</summary>
    public double Fenced { get; private set; }

    /// <summary>Runs it; what is wrong in the end, nothing when all is well.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(RelayCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.StartRelayAsync(0);
        string? copy = null;
        for (var strike = 1; strike <= options.Kills; strike++)
        {
            if (strike == options.Kills / 3)
            {
                await RestAsync(cluster, cancellationToken);
                copy = await cluster.CopyDatabaseAsync();
                await SayAsync(cluster, "copied the database");
            }

            if (strike == 2 * options.Kills / 3)
            {
                // What the copy lacks has left, so that nothing but the topic knows of it.
                await RestAsync(cluster, cancellationToken);
                await cluster.PutBackAsync(copy!);
                await using var connection = await cluster.ConnectAsync(cancellationToken);
                var lacking = await _script.PutBackAsync(connection, cancellationToken);
                await SayAsync(
                    cluster,
                    $"PUT THE DATABASE BACK: it lacks {lacking} transitions, {_script.Forgotten.Count} never "
                    + "come again");
            }

            await WriteAsync(cluster, options.Transitions * strike / (options.Kills + 1), cancellationToken);
            // Not far behind, so that kills strike all along the way.
            await UntilAsync(
                "the relay keeps up",
                async () => await WaitingAsync(cluster, cancellationToken) <= WaitingMax,
                cancellationToken);
            await StrikeAsync(cluster, strike, cancellationToken);
            await StrikeServersAsync(cluster, strike);
        }

        await FenceAsync(cluster, cancellationToken);
        await WriteAsync(cluster, options.Transitions, cancellationToken);
        await RestAsync(cluster, cancellationToken);
        return await JudgeAsync(cluster, cancellationToken);
    }

    // In turns: while it publishes, inside an open transaction, right behind a commit.
    private async Task StrikeAsync(RelayCluster cluster, int strike, CancellationToken cancellationToken)
    {
        var relay = cluster.Relays[0];
        var point = (strike % 3) switch { 1 => "", 2 => "relay-in-transaction", _ => "relay-after-commit" };
        if (point.Length == 0)
        {
            await relay.KillAsync();
        }
        else
        {
            await relay.KillAsync();
            await relay.LaunchAsync($"{point}:{1 + (strike % 4)}");
            for (var exited = relay.Exited; !exited.IsCompleted;)
            {
                await WriteAsync(cluster, _script.Count + 1, cancellationToken);
                await Task.WhenAny(exited, Task.Delay(Poll, cancellationToken));
            }

            Kills++;
            KillsInTransaction += point == "relay-in-transaction" ? 1 : 0;
        }

        Kills++;
        await SayAsync(cluster, point.Length == 0 ? "SIGKILL" : $"SIGKILL, and SIGKILL at '{point}'");
        await relay.DisposeAsync();
        await cluster.StartRelayAsync(0);
    }

    private async Task StrikeServersAsync(RelayCluster cluster, int strike)
    {
        if (strike % 3 == 2)
        {
            await cluster.Kafka.Restart();
            await SayAsync(cluster, "SIGKILL of the broker");
        }

        if (strike % 4 == 3)
        {
            await cluster.Postgres.Kill();
            await cluster.Postgres.Start();
            await SayAsync(cluster, "SIGKILL of PostgreSQL");
        }
    }

    // A second relay stands by beside the first; then the lease is taken from the first, which must be fenced.
    private async Task FenceAsync(RelayCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.StartRelayAsync(1);
        await WriteAsync(cluster, _script.Count + 20, cancellationToken);
        await UntilAsync("the first relay leads", async () =>
            await cluster.CounterAsync(0, "telemetry_relay_leading", cancellationToken) is 1, cancellationToken);
        if (await cluster.CounterAsync(1, "telemetry_relay_leading", cancellationToken) is not 0)
        {
            throw new InvalidOperationException("the second relay does not stand by");
        }

        // The first one stands still for longer than its lease: the second begins, and the first finds itself fenced.
        await cluster.FreezeAsync(0, async () =>
        {
            await UntilAsync("the second relay leads", async () =>
                await cluster.CounterAsync(1, "telemetry_relay_leading", cancellationToken) is 1, cancellationToken);
            await WriteAsync(cluster, _script.Count + 20, cancellationToken);
        });
        await UntilAsync("the first relay stands by", async () =>
            await cluster.CounterAsync(0, "telemetry_relay_leading", cancellationToken) is 0, cancellationToken);
        Fenced = await cluster.CounterAsync(0, "telemetry_relay_fenced_total", cancellationToken) ?? 0;
        await SayAsync(
            cluster,
            $"a second relay stood by, took over from the frozen first one, which stands by now (fenced {Fenced} "
            + "times)");
    }

    private async Task WriteAsync(RelayCluster cluster, int until, CancellationToken cancellationToken)
    {
        await using var connection = await cluster.ConnectAsync(cancellationToken);
        while (_script.Count < until || (until >= options.Transitions && _script.IsBehind))
        {
            await _script.AppendAsync(connection, RowsMax, cancellationToken);
        }
    }

    private static Task RestAsync(RelayCluster cluster, CancellationToken cancellationToken) => UntilAsync(
        "everything is published", async () => await WaitingAsync(cluster, cancellationToken) == 0, cancellationToken);

    private static Task<long> WaitingAsync(
        RelayCluster cluster, CancellationToken cancellationToken) => cluster.NumberAsync(
        """
        SELECT coalesce(sum(p.alert_number - coalesce(r.number, 0)), 0)
        FROM telemetry.partition p LEFT JOIN telemetry.relay_position r USING (partition)
        """,
        cancellationToken);

    private async Task<IReadOnlyList<string>> JudgeAsync(RelayCluster cluster, CancellationToken cancellationToken)
    {
        var records = cluster.Consume(committedOnly: true);
        var committed = records.Select(s => s.Headers["ce_id"]).ToList();
        var uncommitted = cluster.Consume(committedOnly: false).Count;
        var orphans = await OrphansAsync(cluster, cancellationToken);
        var ids = committed.ToHashSet();
        var gone = ids.Except(_script.Present).ToHashSet();
        var problems = new List<string>();
        Check(
            committed.Count == ids.Count, $"{committed.Count - ids.Count} records more than ids: some are there twice");
        Check(
            _script.Present.All(ids.Contains),
            $"{_script.Present.Count(id => !ids.Contains(id))} transitions of the outbox never left");
        Check(gone.IsSubsetOf(_script.Forgotten), "records that nobody wrote");
        Check(gone.SetEquals(orphans), $"{gone.Count} records without a row, {orphans.Count} listed as orphans");
        Check(gone.Count > 0, "the put-back made no orphan: it proves nothing");
        Check(uncommitted > committed.Count, $"no aborted record was seen: {uncommitted} uncommitted");
        Check(KillsInTransaction > 0 && uncommitted > options.Transitions, "too few records or kills");
        problems.AddRange(Routed(cluster, records));
        foreach (var twice in records.GroupBy(r => r.Headers["ce_id"]).Where(g => g.Count() > 1).Take(TwiceShown))
        {
            await output.WriteLineAsync(
                $"{twice.Key} is there {twice.Count()} times: " + string.Join(", ", twice.Select(r =>
                    $"{r.Headers["telemetry-partition"]}/{r.Headers["telemetry-number"]} "
                    + $"{r.Headers["telemetry-chain"][..6]} since {r.Headers["telemetry-since"]}")));
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{_script.Count} transitions written, {Kills} SIGKILLs ({KillsInTransaction} inside an open transaction), "
            + $"1 put-back: "
            + $"read_committed {committed.Count} records, {ids.Count} ids; read_uncommitted {uncommitted} records; "
            + $"{orphans.Count} orphans listed"));
        return problems;

        void Check(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }

    // Judged from the alert topic: what of it each route should have, and the last record of each instance.
    private static IEnumerable<string> Routed(RelayCluster cluster, List<AlertSeen> records)
    {
        foreach (var (topic, fits) in ((string, Func<AlertSeen, bool>)[])[
            (RelayCluster.CriticalTopic, r => r.Headers["ce_severity"] == "critical"),
            (RelayCluster.FreshTopic, r => r.Headers["ce_late"] == "false"),
            (RelayCluster.SecondTopic, r => r.Key.StartsWith("pump-2-", StringComparison.Ordinal))])
        {
            var expected = records.Where(fits).Select(r => r.Headers["ce_id"]).Order().ToList();
            var seen = cluster.Consume(committedOnly: true, topic).Select(r => r.Headers["ce_id"]).Order().ToList();
            if (expected.Count == 0 || !expected.SequenceEqual(seen))
            {
                yield return $"{topic} has {seen.Count} records of {seen.Distinct().Count()} ids in place of the "
                    + $"{expected.Count} that it should have";
            }
        }

        var state = cluster.Consume(committedOnly: true, RelayCluster.StateTopic).GroupBy(r => r.Key)
            .ToDictionary(g => g.Key, g => g.Last());
        var last = records.GroupBy(r => r.Headers["ce_correlationid"]).ToDictionary(g => g.Key, g => g.Last());
        if (!last.Keys.ToHashSet().SetEquals(state.Keys))
        {
            yield return $"the topic of open alerts has {state.Count} keys, there were {last.Count} instances";
        }

        foreach (var (instance, record) in last.Where(l => state.TryGetValue(l.Key, out var s)
            && (s.Headers["ce_id"] != l.Value.Headers["ce_id"]
                || s.Value is null != (l.Value.Headers["ce_type"] == "telemetry.alert.resolved.v1"))))
        {
            yield return $"the topic of open alerts says {state[instance].Headers["ce_id"]} of {instance}, the alert "
                + $"topic {record.Headers["ce_id"]}";
        }
    }

    private static async Task<HashSet<string>> OrphansAsync(RelayCluster cluster, CancellationToken cancellationToken)
    {
        await using var connection = await cluster.ConnectAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT id FROM telemetry.alert_orphan", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var orphans = new HashSet<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            orphans.Add(reader.GetString(0));
        }

        return orphans;
    }

    private async Task SayAsync(RelayCluster cluster, string what)
    {
        var noted = await cluster.NumberAsync("SELECT coalesce(sum(number), 0) FROM telemetry.relay_position", default);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:HH:mm:ss} {what}; {_script.Count} written, {noted} noted as published, {Kills} kills"));
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> holds, CancellationToken cancellationToken)
    {
        for (var until = DateTimeOffset.UtcNow + Within; !await holds();)
        {
            if (DateTimeOffset.UtcNow > until)
            {
                throw new TimeoutException($"not within {Within}: {what}");
            }

            await Task.Delay(Poll, cancellationToken);
        }
    }
}
