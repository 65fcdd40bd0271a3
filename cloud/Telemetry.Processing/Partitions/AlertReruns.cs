using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Corrections;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Runs alert rules again over the stored readings of gaps that the watermark has passed, some gateways in each
/// transaction. It runs first in a round, when the memory is what the database has; the compare-and-set proves that
/// nothing was stored between the reading and the commit. A long gap takes several transactions; its corrections are
/// published by the last one.
/// </summary>
internal sealed class AlertReruns(
    IStore store, OwnedPartitions owned, GatewayLoader loader, AlertEvaluator evaluator, AlertOptions options,
    TimeProvider time, AlertCounters counters)
{
    // So that a time less a span is a time still.
    private const long SpanMaxMicros = 1L << 60;

    private readonly ReadingBuffer _rows = new();
    private uint _turn;

    /// <summary>True when a run went on in the current transaction, so that it must be committed.</summary>
    public bool Took { get; private set; }

    /// <summary>Takes the next gateways into the current transaction.</summary>
    public async Task RunAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        Took = false;
        if (options.Rules.All.Count == 0)
        {
            return;
        }

        var began = time.GetTimestamp();
        // Another partition is the first one in each transaction, so that none waits for ever.
        var owners = owned.All.ToArray();
        _turn++;
        for (var at = 0; at < owners.Length; at++)
        {
            var owner = owners[(int)((_turn + at) % (uint)owners.Length)];
            await AskAsync(owner, cancellationToken);
            foreach (var memory in owner.Gateways.Values
                .Where(g => g.AlertRun is not null || g.Alerts.HasGaps).ToArray())
            {
                while (evaluator.Room && await StepAsync(memory, commit, cancellationToken)
                    && time.GetElapsedTime(began) < options.RunTime)
                {
                }

                if (!evaluator.Room || time.GetElapsedTime(began) >= options.RunTime)
                {
                    return;
                }
            }
        }
    }

    // A new owner asks once which gateways have gaps; those of which nothing comes any more are among them.
    private async Task AskAsync(PartitionOwner owner, CancellationToken cancellationToken)
    {
        if (!owner.AlertGapsKnown)
        {
            var gateways = await store.AlertHistory.FindGapsAsync(owner.Row.Partition, cancellationToken);
            await loader.LoadAsync(owner, gateways, cancellationToken);
            owner.AlertGapsKnown = true;
        }
    }

    /// <summary>
    /// Takes the next readings of a gateway's run. Returns false when nothing of it is left to do now.
    /// </summary>
    private async Task<bool> StepAsync(GatewayMemory memory, StoreCommit commit, CancellationToken cancellationToken)
    {
        if (await RunOfAsync(memory, commit, cancellationToken) is not { } run)
        {
            return false;
        }

        Took = true;
        var ledger = memory.Ledger;
        var series = await SeriesAsync(ledger.Gateway, memory, cancellationToken);
        await ReadAsync(run, [.. run.Series.Where(series.ContainsKey).Select(s => series[s])], cancellationToken);
        var recorded = await store.AlertHistory.LoadAsync(ledger.Gateway, run.HistoryFrom, cancellationToken);
        foreach (var (watch, corrections) in run.End(recorded))
        {
            memory.Alerts.Took(watch);
            counters.Runs++;
            foreach (var correction in corrections)
            {
                evaluator.Correct(correction, watch, series[watch.Id.Series].Definition, run.Watermark);
            }
        }

        memory.Alerts.WriteChanges(commit);
        if (run.IsOver)
        {
            counters.Suppressed += 2 * run.Suppressed;
            memory.AlertRun = null;
        }

        return !run.IsOver;
    }

    /// <summary>The run that is under way, or that begins now; null when there is none.</summary>
    private async Task<GatewayRun?> RunOfAsync(
        GatewayMemory memory, StoreCommit commit, CancellationToken cancellationToken)
    {
        var (gateway, watermark) = (memory.Ledger.Gateway, memory.Ledger.Watermark.Value);
        if (memory.AlertRun is null && memory.Alerts.FindDue(watermark, options) is { Count: > 0 } due)
        {
            due = await KeptAsync(memory, due, cancellationToken);
            memory.Alerts.WriteChanges(commit);
            if (due.Count > 0)
            {
                var before = await store.AlertHistory.LoadAsync(
                    gateway, GatewayRun.HistoryNeeded(due, options), cancellationToken);
                memory.AlertRun = new GatewayRun(due, before, watermark, options);
            }
        }

        return memory.AlertRun;
    }

    // What retention has removed cannot be evaluated again: the history of that time stays as it is.
    private async Task<IReadOnlyList<AlertWatch>> KeptAsync(
        GatewayMemory memory, IReadOnlyList<AlertWatch> due, CancellationToken cancellationToken)
    {
        var retired = await store.AlertHistory.FindRetiredAsync(memory.Ledger.Gateway, cancellationToken);
        var series = await SeriesAsync(memory.Ledger.Gateway, memory, cancellationToken);
        var kept = new List<AlertWatch>();
        foreach (var watch in due.Where(w => series.ContainsKey(w.Id.Series)))
        {
            var until = retired.GetValueOrDefault(series[watch.Id.Series].Definition.Metric, long.MinValue + 1);
            if (watch.KeepGapFrom(until))
            {
                kept.Add(watch);
            }

            if (watch.Changed)
            {
                Took = true;
                memory.Alerts.Took(watch);
            }
        }

        return kept;
    }

    private async Task<Dictionary<SeriesIdentity, SeriesEntry>> SeriesAsync(
        GatewayId gateway, GatewayMemory memory, CancellationToken cancellationToken)
    {
        var schemas = memory.Ledger.Schemas;
        if (!schemas.Loaded)
        {
            schemas.Load(await store.LoadSchemasAsync(gateway, cancellationToken));
        }

        return schemas.Entries.DistinctBy(e => e.Identity).ToDictionary(e => e.Identity);
    }

    // The database sorts what lies in the span that it is asked for, so the span is about what one step takes: it
    // grows where there are few readings, and shrinks to what was read where there are too many.
    private async Task ReadAsync(GatewayRun run, IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken)
    {
        for (var most = options.RunReadingsMax; run.Cursor < run.Target; most *= 2)
        {
            var end = run.Cursor < run.Target - run.SpanMicros ? run.Cursor + run.SpanMicros : run.Target;
            _rows.Clear();
            await store.AlertHistory.ReadAsync(series, run.Cursor, end, _rows, most, cancellationToken);
            counters.RunReadings += _rows.Count;
            // Of the last time there may be more readings than were read.
            var through = _rows.Count < most ? end : _rows.Times[^1] - 1;
            if (through > run.Cursor)
            {
                run.SpanMicros = _rows.Count < most / 4 ? Math.Min(run.SpanMicros, SpanMaxMicros / 2) * 2
                    : _rows.Count < most ? run.SpanMicros : through - run.Cursor;
                run.Take(_rows, through);
                return;
            }
        }
    }
}
