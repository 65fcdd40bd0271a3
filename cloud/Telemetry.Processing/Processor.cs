using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Intake;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing;

/// <summary>
/// Owns partitions by lease, reads their streams, and settles what they carry: gather → one transaction
/// (compare-and-set, ledger, register, readings, alerts) → stored-acks and answers. Runs on one thread: start it on a
/// single-threaded synchronization context. Whatever fails, memory goes back to what the database has, and reading goes
/// on from there.
/// </summary>
public sealed class Processor
{
    private readonly IStore _store;
    private readonly IControlChannel _bus;
    private readonly ProcessorOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly HelloQueue _hellos;
    private readonly Signal _signal = new();
    private readonly OwnedPartitions _owned;
    private readonly LeaseLoop _leases;
    private readonly ProcessorFailures _troubles;
    private readonly StoreCommit _commit = new();
    private readonly AlertEvaluator _alerts;
    private readonly PendingAcks _acks = new();
    private readonly FrameApplier _applier;
    private readonly HelloHandler _desk;
    private readonly GatewayLoader _loader;
    private readonly DataFaultIsolator _faults = new();
    private readonly StoreTrace _trace;
    private readonly BatchIntake _taking;
    private readonly TransactionWeight _weight = new();

    public Processor(
        IStore store, IFrameLog log, IControlChannel bus, ProcessorOptions options, TimeProvider time, Random random, ILogger logger)
        : this(store, log, bus, options, time, random, logger, null, null)
    {
    }

    /// <summary>
    /// As a part of a process that says itself when <paramref name="database"/> or the log's server are out of reach.
    /// </summary>
    public Processor(
        IStore store, IFrameLog log, IControlChannel bus, ProcessorOptions options, TimeProvider time, Random random, ILogger logger,
        ReportedFailure? database, ReportedFailure? nats)
    {
        (_store, _bus, _options, _time, _random, _logger) = (store, bus, options, time, random, logger);
        _hellos = new HelloQueue(options, time, logger, _signal);
        _alerts = new AlertEvaluator(options.Alerts, Counters.Alerts, logger);
        var schemas = new SchemaHandler(store, options, Counters, _acks, logger);
        _loader = new GatewayLoader(store, options, logger);
        _applier = new FrameApplier(store, _alerts, schemas, _acks, _faults, options, Counters, _weight);
        _trace = new StoreTrace(time);
        _troubles = new ProcessorFailures(options.Worker, time, logger, database, nats);
        _desk = new HelloHandler(store, schemas, _acks, Counters, options, time, _troubles.Reading, _signal);
        _owned = new OwnedPartitions(
            store, log, bus, options, time, logger, _troubles.Reading, Counters, _signal, _hellos.Arrived);
        _leases = new LeaseLoop(store, _owned, options, time, random, logger, _troubles, Counters);
        _taking = new BatchIntake(_owned, _faults, options, Counters, _weight);
    }

    public ProcessorCounters Counters { get; } = new();

    /// <summary>What stands between this processor and its work; null when nothing does. Any thread.</summary>
    public string? Problem => _troubles.Storing.Problem ?? _troubles.Leases.Problem ?? _troubles.Reading.Problem
        ?? _leases.Problem
        ?? (Counters.Partitions > 0 && _time.GetElapsedTime(_owned.RenewedAt) is var silent && silent > _options.Lease
            ? $"has committed nothing for {silent.TotalSeconds:0} s, so its leases have run out" : null);

    /// <summary>Works until cancelled; then gives its leases back.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var hellos = _hellos.WatchAsync(ending.Token);
        var leases = _leases.RunAsync(ending.Token);
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await RoundOrRetryAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop: what was not committed is read again by the next owner.
        }
        finally
        {
            ending.Cancel(); // CancelAsync would leave this thread.
            await hellos;
            await leases;
            await _leases.EndAsync();
        }
    }

    private async Task RoundOrRetryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RoundAsync(cancellationToken);
            return;
        }
        catch (StoreException e)
        {
            var another = e.IsDataFault && _faults.Failed(e.Message, e.Reading);
            await GiveUpAsync(_ => e.MayHaveCommitted);
            if (another)
            {
                // The next try is another one, and those behind a bad frame do not wait for it.
                Counters.DataFaults++;
                _troubles.Data.Failed(e.Message);
                return;
            }

            _troubles.Failed(_troubles.Storing, e);
        }
        catch (FrameLogException e)
        {
            _troubles.Reading.Failed(e.Message);
            await GiveUpAsync(_ => false);
        }

        Counters.Errors++;
        await Task.Delay(_options.RetryAfter * (0.5 + _random.NextDouble()), _time, cancellationToken);
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        await _owned.AdoptAsync(cancellationToken);
        await _owned.BeginFeedsAsync(cancellationToken);
        _commit.Clear();
        _weight.Begin();
        _acks.Clear();
        _alerts.Clear();
        _trace.Clear();
        await ApplyMessagesAsync(cancellationToken);
        if (_weight.Readings < _options.BatchReadingsMax && _faults.Taken > 0 && _options.GatherTime > TimeSpan.Zero)
        {
            await Task.Delay(_options.GatherTime, _time, cancellationToken);
            await ApplyMessagesAsync(cancellationToken);
        }

        await TakeHellosAsync(cancellationToken);
        foreach (var owner in _owned.All)
        {
            _desk.BookLosses(owner);
        }

        if (_owned.All.Count > 0 && await CommitAsync(cancellationToken))
        {
            return;
        }

        foreach (var owner in _owned.All)
        {
            owner.Live.Watch(cancellationToken);
            owner.Backlog.Watch(cancellationToken);
        }

        await _signal.WaitAsync(UntilDue(), _time, cancellationToken);
    }

    /// <summary>
    /// Commits what was built, or renews the leases when that is due. False when there was nothing to do.
    /// </summary>
    private async Task<bool> CommitAsync(CancellationToken cancellationToken)
    {
        foreach (var gateway in Touched())
        {
            foreach (var epoch in gateway.CloseEpochs())
            {
                _acks.Settled(gateway, epoch);
            }

            gateway.AdvanceWatermark();
            gateway.WriteChanges(_commit);
        }

        var moved = _owned.All.Any(o => o.Moved);
        var due = _time.GetElapsedTime(_owned.RenewedAt) >= _options.RenewEvery;
        if (!moved && !due && !_desk.Waiting && _commit.IsEmpty)
        {
            _desk.Booked();
            return false;
        }

        foreach (var (gateway, transition) in _alerts.Transitions)
        {
            _commit.AlertOutbox.Add(_owned.OwnerOf(gateway).Number(transition));
        }

        foreach (var owner in _owned.All)
        {
            _commit.Partitions.Add(owner.Step(_options.Lease));
        }

        if (await _store.CommitAsync(_commit, cancellationToken) == CommitOutcome.NotOwner)
        {
            Counters.NotOwner++;
            var lost = _commit.NotOwned.Count > 0
                ? _commit.NotOwned.Order().ToArray() : [.. _owned.All.Select(o => o.Row.Partition)];
            ProcessingLog.NotOwner(_logger, string.Join(", ", lost));
            await GiveUpAsync(lost.Contains);
            return true;
        }

        Counters.Commits++;
        _owned.RenewedAt = _time.GetTimestamp();
        _troubles.Storing.Worked();
        _troubles.Data.Worked();
        _alerts.Committed();
        _trace.Committed(_commit.Frames);
        _faults.Succeeded();
        foreach (var owner in _owned.All)
        {
            owner.Committed();
            owner.Trim(_options.GatewaysMax);
        }

        CrashPoint.Reach("after-commit");
        await SendAcksAsync(cancellationToken);
        _desk.Booked();
        _owned.TrimLogs(cancellationToken);
        return true;
    }

    /// <summary>
    /// Commit came first; a word that gets lost here is said again in answer to the next hello, so that a bus out of
    /// reach costs nothing else.
    /// </summary>
    private async Task SendAcksAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SendAllAsync(NowMicros(), cancellationToken);
        }
        catch (FrameLogException e)
        {
            _troubles.Reading.Failed(e.Message);
            _desk.Unsaid();
            Counters.Errors++;
        }
    }

    private async Task SendAllAsync(long now, CancellationToken cancellationToken)
    {
        foreach (var (gateway, message) in await _desk.AnswersAsync(now, cancellationToken))
        {
            await _bus.SendDownAsync(gateway, message, cancellationToken);
        }

        foreach (var gateway in _acks.Gateways)
        {
            await _bus.SendDownAsync(
                gateway.Gateway, _acks.StoredAck(gateway, _owned.OwnerOf(gateway.Gateway), now),
                cancellationToken);
        }

        foreach (var (gateway, message) in _acks.SchemaRequests(g => _owned.OwnerOf(g).Row.Token))
        {
            await _bus.SendDownAsync(gateway, message, cancellationToken);
        }
    }

    private IEnumerable<GatewayLedger> Touched() =>
        _owned.All.SelectMany(o => o.Gateways.Values).Where(g => g.Touched).ToArray();

    /// <summary>
    /// Live first; the backlog gets the rest, and never less than a tenth, however far live went beyond its part.
    /// </summary>
    private async Task ApplyMessagesAsync(CancellationToken cancellationToken)
    {
        var all = _options.BatchReadingsMax;
        var tenth = all / 10;
        await DrainAsync(StreamKind.Live, all - tenth, cancellationToken);
        await DrainAsync(StreamKind.Backlog, Math.Max(all, _weight.Readings + tenth), cancellationToken);
        await DrainAsync(StreamKind.Live, all, cancellationToken);
    }

    private async Task DrainAsync(StreamKind kind, int weightMax, CancellationToken cancellationToken)
    {
        while (_alerts.Room && _taking.TryTake(kind, weightMax, _commit))
        {
            foreach (var owners in _taking.Taken.GroupBy(m => m.Owner))
            {
                await _loader.LoadAsync(owners.Key, owners.Select(m => m.Message.Gateway), cancellationToken);
            }

            await _applier.PrepareAsync(_taking.Taken, cancellationToken);
            foreach (var (owner, place, message) in _taking.Taken)
            {
                if (!owner.Gateways.TryGetValue(message.Gateway, out var gateway))
                {
                    Counters.Refused++;
                    continue;
                }

                _faults.Applying(place, _commit.Readings.Count);
                _trace.Taking(_commit.Frames.Count, _alerts.Transitions.Count);
                await _applier.ApplyAsync(gateway, message, _faults.Of(place), _commit, cancellationToken);
                _trace.Took(_commit.Frames.Count, _alerts.Transitions.Count);
            }
        }
    }

    private async Task TakeHellosAsync(CancellationToken cancellationToken)
    {
        var ready = await _desk.ReadyAsync(_hellos.Take(_owned), _owned.All, cancellationToken);
        foreach (var owned in ready.GroupBy(r => r.Owner))
        {
            await _loader.LoadAsync(owned.Key, owned.Select(r => r.Gateway), cancellationToken);
        }

        var known = ready.Where(r => r.Owner.Gateways.ContainsKey(r.Gateway)).ToArray();
        Counters.Refused += ready.Count - known.Length;
        _desk.Take(known, NowMicros());
    }

    private async Task GiveUpAsync(Func<int, bool> forget)
    {
        _desk.Forget();
        _faults.Interrupted();
        await _owned.GiveUpAsync(forget);
    }

    private TimeSpan UntilDue()
    {
        // A lease that is taken sets the signal.
        var due = _owned.All.Count == 0 ? _options.RenewEvery
            : _options.RenewEvery - _time.GetElapsedTime(_owned.RenewedAt);
        if (due <= TimeSpan.Zero)
        {
            due = _options.RenewEvery;
        }

        return _owned.All.All(o => o.Live.Running && o.Backlog.Running && !o.Ends.Waiting) || _options.RetryAfter > due
            ? due : _options.RetryAfter;
    }

    private long NowMicros() =>
        (_time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
