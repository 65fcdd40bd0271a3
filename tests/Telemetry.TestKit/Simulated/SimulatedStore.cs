using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// The database in memory. A transaction takes time, and may fail before it does anything, or after its commit, so that
/// its caller cannot know the outcome; leases use the database's clock. A backup is a copy of <see cref="Content"/>, a
/// restore sets it.
/// </summary>
public sealed class SimulatedStore(Pump pump, Random random) : IStore
{
    /// <summary>The connection to it.</summary>
    public SimulatedCalls Calls { get; } = new(pump, random);

    /// <summary>Its content now. Setting it is a restore; no client is informed.</summary>
    public SimulatedDatabase Content { get; set; } = SimulatedDatabase.Empty;

    /// <summary>Decides which rows the database refuses, for tests of data faults; null refuses none.</summary>
    public Func<StoreCommit, string?> Refuses { get; set; } = _ => null;

    /// <summary>Decides which series the database refuses, for tests of data faults; null refuses none.</summary>
    public Func<SeriesEntry, string?> RefusesSeries { get; set; } = _ => null;

    /// <summary>Decides which commits fail for a reason other than their data; null lets all pass.</summary>
    public Func<StoreCommit, string?> Fails { get; set; } = _ => null;

    /// <summary>
    /// Called right after each commit, before it returns to its caller, with the content before it and the committing
    /// <see cref="PumpScope"/>. For judges.
    /// </summary>
    public Action<StoreCommit, SimulatedDatabase, object?> Committed { get; set; } = (_, _, _) => { };

    /// <summary>Called with the number of readings that a call reads back.</summary>
    public Action<int> ReadBack { get; set; } = _ => { };

    /// <summary>
    /// Decides which commits begin and then get nothing more from their frozen client; none by default. The caller's
    /// task ends when the client continues (<see cref="HeldTransactions.GoOn"/>) or the session is ended.
    /// </summary>
    public Func<StoreCommit, bool> Freezes { get; set; } = _ => false;

    /// <summary>How long a commit works in the database; no time by default.</summary>
    public Func<StoreCommit, TimeSpan> Works { get; set; } = _ => TimeSpan.Zero;

    /// <summary>The transactions that are held in this way now.</summary>
    public HeldTransactions Held { get; } = new();

    /// <inheritdoc/>
    public Task<LeaseLook> LookAtLeasesAsync(LiveWorker beat, TimeSpan lasts, CancellationToken cancellationToken) =>
        CallAsync("look at the leases", () => Look(beat, lasts), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> EndHolderAsync(int partition, LeaseHolder holder, CancellationToken cancellationToken) =>
        CallAsync($"end the holder of {partition}", () => EndHolder(partition, holder), cancellationToken);

    /// <inheritdoc/>
    public Task<InstallationFacts> InstallAsync(InstallationFacts proposed, CancellationToken cancellationToken) =>
        CallAsync("find the installation", () => Install(proposed), cancellationToken);

    /// <inheritdoc/>
    public Task<PartitionRow?> TakeLeaseAsync(
        int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        CallAsync($"take lease {partition}", () => TakeLease(partition, token, owner, lease), cancellationToken);

    /// <inheritdoc/>
    public Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken) =>
        CallAsync($"release lease {partition}", () => ReleaseLease(partition, token), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken)
    {
        GatewayId[] asked = [.. gateways];
        return CallAsync<IReadOnlyList<GatewayRecord>>(
            "load gateways", () => [.. asked.Select(Content.Record)], cancellationToken);
    }

    /// <inheritdoc/>
    public Task<GatewaySchemaRows> LoadSchemasAsync(GatewayId gateway, CancellationToken cancellationToken) =>
        CallAsync("load schemas", () => Content.SchemasOf(gateway), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RefusedSeries>> FindRefusedSeriesAsync(
        IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken)
    {
        SeriesEntry[] sent = [.. series];
        return CallAsync<IReadOnlyList<RefusedSeries>>(
            "find refused series",
            () => [.. sent.Select((s, i) => new RefusedSeries(i, RefusesSeries(s) ?? "")).Where(r => r.Error != "")],
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<WaitingRow>> LoadWaitingAsync(
        GatewayId gateway, SchemaId needs, CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<WaitingRow>>(
            "load what waits for a schema",
            () => [.. Content.Waiting.Where(r => r.Id.Gateway == gateway && r.Id.Needs == needs)],
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, int framesMax,
        CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<FrameRegisterRow>>(
            "find frames",
            () =>
            [
                .. SimulatedDatabase.All(Content.Frames)
                    .Where(f => f.Gateway == gateway && f.Key.Epoch == epoch && f.Key.Lane == lane
                        && f.Key.Range.Overlaps(range))
                    .OrderBy(f => f.Key.First)
                    .Take(framesMax),
            ],
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<FrameRegisterRow?>> FindFirstFramesAsync(
        IReadOnlyList<(GatewayId Gateway, FrameKey Range)> ranges, CancellationToken cancellationToken)
    {
        (GatewayId Gateway, FrameKey Range)[] asked = [.. ranges];
        return CallAsync<IReadOnlyList<FrameRegisterRow?>>(
            "find first frames", () => Content.FirstFrames(asked), cancellationToken);
    }

    /// <inheritdoc/>
    public IAlertHistory AlertHistory => new SimulatedAlertHistory(this);

    /// <inheritdoc/>
    public Task<IReadOnlyList<WindowWidth>> ReadWidthsAsync(CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<WindowWidth>>("read the widths of windows", () => Content.Widths, cancellationToken);

    /// <inheritdoc/>
    public Task RecordLagAsync(IReadOnlyList<StreamLagRow> rows, CancellationToken cancellationToken)
    {
        Lags = rows;
        return Task.CompletedTask;
    }

    /// <summary>The rows that were recorded last.</summary>
    public IReadOnlyList<StreamLagRow> Lags { get; private set; } = [];

    /// <inheritdoc/>
    public Task<IReadOnlyList<GatewayId>> FindOpenGatewaysAsync(int partition, CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<GatewayId>>(
            "find gateways with open windows",
            () =>
            [
                .. Content.Gateways.Values.Where(g => g.Partition == partition && !g.OpenWindows.IsEmpty)
                    .Select(g => g.Gateway).OrderBy(g => g.Value, StringComparer.Ordinal),
            ],
            cancellationToken);

    /// <inheritdoc/>
    public Task<OpenReadingCounts> ReadReadingsAsync(
        IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways, Func<GatewayId, int, SeriesEntry?> series,
        ReadingBuffer rows, int readingsMax, CancellationToken cancellationToken)
    {
        (GatewayId Gateway, OpenSpan Span)[] asked = [.. gateways];
        return CallAsync(
            "read the readings of open windows",
            () =>
            {
                var read = ReadingsBack.Read(Content, asked, series, rows, readingsMax);
                ReadBack(read.Gateways.Sum());
                return read;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        // Its owner may give up waiting and use the buffers for the next commit while this one is in transit.
        var sent = commit.Copy();
        var caller = (SynchronizationContext.Current as PumpContext)?.Scope;
        return AnswerAsync(commit, sent, Calls.CallAsync(
            "commit", () => CommitOrHoldAsync(sent, caller), before => Broken("commit", before), cancellationToken));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<RefusedReading>> FindRefusedAsync(
        ReadingBuffer readings, CancellationToken cancellationToken)
    {
        var sent = new ReadingBuffer();
        sent.AddAll(readings);
        return CallAsync<IReadOnlyList<RefusedReading>>(
            "find refused readings", () => FindRefused(sent), cancellationToken);
    }

    private InstallationFacts Install(InstallationFacts proposed)
    {
        Content = Content with { Installation = Content.Installation ?? proposed };
        return Content.Installation!;
    }

    private static async Task<CommitOutcome> AnswerAsync(StoreCommit asked, StoreCommit sent, Task<CommitOutcome> call)
    {
        var outcome = await call;
        asked.NotOwned.AddRange(sent.NotOwned);
        return outcome;
    }

    private LeaseLook Look(LiveWorker beat, TimeSpan lasts)
    {
        var now = Calls.Time.GetUtcNow();
        var workers = Content.Workers.SetItem((beat.Owner, beat.Worker), (beat, now + lasts));
        Content = Content with { Workers = workers };
        return new LeaseLook(
            [
                .. workers.Values.Where(w => w.AliveUntil > now).Select(w => w.Worker)
                    .OrderBy(w => w.Owner, StringComparer.Ordinal).ThenBy(w => w.Worker),
            ],
            [.. Content.Partitions.OrderBy(p => p.Key).Select(p => Seen(p.Value, now))]);
    }

    private LeaseSeen Seen(SimulatedPartition held, DateTimeOffset now)
    {
        var state = held.LeaseEnd > now ? LeaseState.Held
            : held.LeaseEnd == default ? LeaseState.Released
            : LeaseState.RunOut;
        var partition = held.Row.Partition;
        return new LeaseSeen(
            partition, held.Row.Token, held.Owner, state,
            state == LeaseState.RunOut ? Held.HolderOf(partition) : null);
    }

    private bool EndHolder(int partition, LeaseHolder holder) =>
        Content.Partitions.GetValueOrDefault(partition) is { } held && held.LeaseEnd <= Calls.Time.GetUtcNow()
            && Held.End(partition, holder);

    private PartitionRow? TakeLease(int partition, ulong token, string owner, TimeSpan lease)
    {
        var now = Calls.Time.GetUtcNow();
        var held = Content.Partitions.GetValueOrDefault(partition)
            ?? new SimulatedPartition(
                new PartitionRow(
                    partition, 0, 0, StreamPosition.None, StreamPosition.None, AlertHead.None), "", default);
        if (Held.Hold(partition) || (held.Owner != owner && held.LeaseEnd > now))
        {
            return null;
        }

        var taken = new SimulatedPartition(held.Row with { Token = token }, owner, now + lease);
        Content = Content with { Partitions = Content.Partitions.SetItem(partition, taken) };
        return taken.Row;
    }

    private bool ReleaseLease(int partition, ulong token)
    {
        if (Content.Partitions.GetValueOrDefault(partition) is { } held && held.Row.Token == token
            && !Held.Hold(partition))
        {
            Content = Content with
            {
                Partitions = Content.Partitions.SetItem(partition, held with { LeaseEnd = default }),
            };
        }

        return true;
    }

    private async Task<CommitOutcome> CommitOrHoldAsync(StoreCommit commit, object? caller)
    {
        if (Freezes(commit))
        {
            if (NotOwned(commit))
            {
                return CommitOutcome.NotOwner;
            }

            if (!await Held.HoldAsync(
                commit.Partitions.Select(step => step.Expected.Partition), Calls.Time.GetUtcNow().UtcDateTime))
            {
                throw new StoreException("commit: the session was ended", isDataFault: false, mayHaveCommitted: false)
                {
                    IsUnreachable = true,
                };
            }
        }

        await Task.Delay(Works(commit), Calls.Time);
        return Commit(commit, caller);
    }

    private bool NotOwned(StoreCommit commit)
    {
        commit.NotOwned.AddRange(commit.Partitions
            .Where(step => Held.Hold(step.Expected.Partition)
                || Content.Partitions.GetValueOrDefault(step.Expected.Partition)?.Row != step.Expected)
            .Select(step => step.Expected.Partition));
        return commit.NotOwned.Count > 0;
    }

    private CommitOutcome Commit(StoreCommit commit, object? caller)
    {
        if (Fails(commit) is { } trouble)
        {
            throw new StoreException(trouble, isDataFault: false, mayHaveCommitted: false);
        }

        if ((RefusedText.Find(commit.Readings) ?? RefusedSeries(commit) ?? Refuses(commit)) is { } refusal)
        {
            throw new StoreException(refusal, isDataFault: true, mayHaveCommitted: false);
        }

        if (NotOwned(commit) || Content.With(commit, Calls.Time.GetUtcNow()) is not { } after)
        {
            return CommitOutcome.NotOwner;
        }

        var before = Content;
        Content = after;
        Committed(commit, before, caller);
        return CommitOutcome.Committed;
    }

    private List<RefusedReading> FindRefused(ReadingBuffer readings)
    {
        var refused = new List<RefusedReading>();
        for (var row = 0; row < readings.Count; row++)
        {
            var alone = new StoreCommit();
            alone.Readings.AddRow(readings, row);
            if ((RefusedText.Find(alone.Readings) ?? Refuses(alone)) is { } error)
            {
                refused.Add(new RefusedReading(row, error));
            }
        }

        return refused;
    }

    private string? RefusedSeries(StoreCommit commit) => commit.Schemas.SelectMany(s => s.Added.ToArray())
        .Where(s => s.Refusal is null).Select(RefusesSeries).FirstOrDefault(refusal => refusal is not null);

    internal Task<T> CallAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken) => Calls.CallAsync(
        what, effect, before => Broken(what, before), cancellationToken);

    private static StoreException Broken(string what, bool before) => new(
        before ? $"{what}: the connection failed" : $"{what}: the connection broke before the answer",
        isDataFault: false,
        mayHaveCommitted: !before);
}
