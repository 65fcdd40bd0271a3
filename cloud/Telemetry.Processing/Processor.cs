using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Intake;
using Telemetry.Processing.Partitions;
using Telemetry.Processing.Windows;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing;

/// <summary>
/// Owns partitions by lease, reads their streams and settles the messages in them: gather → one transaction
/// (compare-and-set, ledger, register, readings, alerts) → stored-acks and answers. Runs on one thread: start it on a
/// single-threaded synchronization context. After any failure, memory is reset to the database's state, and reading
/// continues from the position in the database.
/// </summary>
public sealed class Processor
{
    private readonly IStore _store;
    private readonly ProcessorOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly HelloQueue _hellos;
    private readonly Signal _signal = new();
    private readonly OwnedPartitions _owned;
    private readonly LeaseLoop _leases;
    private readonly ProcessorFailures _failures;
    private readonly StoreCommit _commit = new();
    private readonly AlertEvaluator _alerts;
    private readonly WindowFolder _windows;
    private readonly CurrentWidths _widths;
    private readonly WindowRebuild _rebuild;
    private readonly AlertReruns _reruns;
    private readonly WindowHandover _handover;
    private readonly PendingAcks _acks = new();
    private readonly AnswerSender _answers;
    private readonly FrameApplier _applier;
    private readonly HelloHandler _handler;
    private readonly GatewayLoader _loader;
    private readonly DataFaultIsolator _isolator = new();
    private readonly StoreTrace _trace;
    private readonly BatchIntake _intake;
    private readonly TransactionWeight _weight = new();

    /// <summary>
    /// When <paramref name="database"/> or <paramref name="nats"/> is given, the process reports that one itself when
    /// it is out of reach, and this processor does not. <paramref name="fleet"/> is told what commits changed.
    /// </summary>
    public Processor(
        IStore store, IFrameLog log, IControlChannel control, ProcessorOptions options, TimeProvider time,
        Random random, ILogger logger, ReportedFailure? database = null, ReportedFailure? nats = null,
        IFleetChannel? fleet = null)
    {
        (_store, _options, _time, _random, _logger) = (store, options, time, random, logger);
        _hellos = new HelloQueue(options, time, logger, _signal);
        _alerts = new AlertEvaluator(options.Alerts, Counters.Alerts, logger);
        var schemas = new SchemaHandler(store, options, Counters, _acks, logger);
        _loader = new GatewayLoader(store, options, logger);
        _widths = new CurrentWidths(store, options.Windows, time, logger);
        _windows = new WindowFolder(options.Windows, Counters.Windows);
        _applier = new FrameApplier(store, _alerts, _windows, schemas, _acks, _isolator, options, Counters, _weight);
        _trace = new StoreTrace(time);
        _failures = new ProcessorFailures(options.Worker, time, logger, database, nats);
        _handler = new HelloHandler(store, schemas, _acks, Counters, options, time, _failures.Reading, _signal);
        _owned = new OwnedPartitions(
            store, log, control, options, time, logger, _failures.Reading, Counters, _signal, _hellos.Arrived);
        _leases = new LeaseLoop(store, _owned, options, time, random, logger, _failures, Counters);
        _rebuild = new WindowRebuild(store, _owned, _loader, _windows, options, time, Counters.Windows);
        _reruns = new AlertReruns(store, _owned, _loader, _alerts, options.Alerts, time, Counters.Alerts);
        _handover = new WindowHandover(store, _loader, _windows, options, time);
        _answers = new AnswerSender(control, _handler, _acks, _owned, _failures, Counters, time, fleet);
        _intake = new BatchIntake(_owned, _isolator, options, Counters, _weight);
    }

    public ProcessorCounters Counters { get; } = new();

    /// <summary>
    /// The failure that keeps this processor from its work; null when there is none. May be read on any thread.
    /// </summary>
    public string? Problem => _failures.Storing.Problem ?? _failures.Leases.Problem ?? _failures.Reading.Problem
        ?? _leases.Problem
        ?? (Counters.Partitions > 0 && _time.GetElapsedTime(_owned.RenewedAt) is var silent && silent > _options.Lease
            ? $"has committed nothing for {silent.TotalSeconds:0} s, so its leases have run out" : null);

    /// <summary>Works until cancelled; then writes what is in its memory alone, and gives its leases back.</summary>
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
            // The processor was asked to stop. The next owner reads again what was not committed.
        }
        finally
        {
            ending.Cancel(); // CancelAsync would leave this thread.
            await hellos;
            await leases;
            if (cancellationToken.IsCancellationRequested)
            {
                // After any other end the memory may not be what the database has.
                await GiveUpAsync(_ => false);
                await _handover.RunAsync(_owned.All, CancellationToken.None);
            }

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
            var another = e.IsDataFault && _isolator.Failed(e.Message, e.Reading);
            await GiveUpAsync(_ => e.MayHaveCommitted);
            if (another)
            {
                // The next try differs from this one, and messages behind a bad frame do not wait for it.
                Counters.DataFaults++;
                _failures.Data.Failed(e.Message);
                return;
            }

            _failures.Failed(_failures.Storing, e);
        }
        catch (FrameLogException e)
        {
            _failures.Reading.Failed(e.Message);
            await GiveUpAsync(_ => false);
        }

        Counters.Errors++;
        await Task.Delay(_options.RetryAfter * (0.5 + _random.NextDouble()), _time, cancellationToken);
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        await _owned.AdoptAsync(owner => _handover.RunAsync([owner], cancellationToken), cancellationToken);
        // A new owner reads the widths after it took its lease: see WidthTable.AddAsync.
        await _widths.ReadAsync(_owned.All.Any(o => !o.OpenGatewaysKnown), cancellationToken);
        _owned.LookAtLogs(trims: false, cancellationToken);
        await _owned.BeginFeedsAsync(cancellationToken);
        _commit.Clear();
        _weight.Begin();
        _acks.Clear();
        _alerts.Clear();
        _trace.Clear();
        _windows.Begin(_widths.Now);
        await _rebuild.RunAsync(_commit, cancellationToken);
        await _reruns.RunAsync(_commit, cancellationToken);
        await ApplyMessagesAsync(cancellationToken);
        if (_weight.Readings < _options.BatchReadingsMax && _isolator.Taken > 0 && _options.GatherTime > TimeSpan.Zero)
        {
            await Task.Delay(_options.GatherTime, _time, cancellationToken);
            await ApplyMessagesAsync(cancellationToken);
        }

        await TakeHellosAsync(cancellationToken);
        foreach (var owner in _owned.All)
        {
            _handler.BookLosses(owner);
        }

        await _loader.LoadDueAsync(_owned.All, NowMicros(), cancellationToken);
        var took = _isolator.Taken > 0;
        var committed = _owned.All.Count > 0 && await CommitAsync(cancellationToken);
        if (committed && took)
        {
            return;
        }

        foreach (var owner in _owned.All)
        {
            owner.Live.Watch(cancellationToken);
            owner.Backlog.Watch(cancellationToken);
        }

        if (!committed)
        {
            await _signal.WaitAsync(UntilDue(), _time, cancellationToken);
        }
    }

    /// <summary>
    /// Commits what was built, or renews the leases when that is due. Returns false when there was nothing to do.
    /// </summary>
    private async Task<bool> CommitAsync(CancellationToken cancellationToken)
    {
        var now = NowMicros();
        foreach (var memory in _owned.All.SelectMany(o => o.Gateways.Values)
            .Where(g => g.Ledger.Touched || g.Windows.IsTouched || g.Windows.IsDue(now)).ToArray())
        {
            var gateway = memory.Ledger;
            foreach (var epoch in gateway.CloseEpochs())
            {
                _acks.Settled(gateway, epoch);
            }

            memory.AdvanceWatermark();
            gateway.OpenWindows = _windows.Write(memory.Windows, gateway.Watermark.Value, now, _commit);
            memory.WriteChanges(_commit);
        }

        _windows.WriteRest(_commit);
        var due = _time.GetElapsedTime(_owned.RenewedAt) >= _options.RenewEvery || _rebuild.Took || _reruns.Took;
        if (!due && !_owned.All.Any(o => o.Moved) && !_handler.Waiting && _commit.IsEmpty)
        {
            _handler.Booked();
            return false;
        }

        _alerts.WriteTo(_commit, (gateway, transition) => _owned.OwnerOf(gateway).Number(transition));
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
        _failures.Storing.Worked();
        _failures.Data.Worked();
        _alerts.Committed();
        _trace.Committed(_commit.Frames);
        _isolator.Succeeded();
        _windows.Committed(g => _owned.OwnerOf(g).Gateways[g].Ledger.Watermark.Value, now, _commit);
        foreach (var owner in _owned.All)
        {
            owner.Committed();
            owner.Trim(_options.GatewaysMax);
        }

        Counters.Windows.Open = WindowMemory.Trim(
            _owned.All.SelectMany(o => o.Windows.Values), _options.Windows.PartsMax);
        CrashPoint.Reach("after-commit");
        await _answers.SendAsync(_commit, cancellationToken);
        _handler.Booked();
        _owned.LookAtLogs(trims: true, cancellationToken);
        return true;
    }

    /// <summary>
    /// Applies live messages first. The backlog gets the rest of the transaction, and never less than a tenth of it,
    /// even when live messages exceeded their part.
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
        while (_alerts.Room && _intake.TryTake(kind, weightMax, _commit))
        {
            foreach (var owners in _intake.Taken.GroupBy(m => m.Owner))
            {
                await _loader.LoadAsync(owners.Key, owners.Select(m => m.Message.Gateway), cancellationToken);
            }

            await _applier.PrepareAsync(_intake.Taken, cancellationToken);
            foreach (var (owner, place, message) in _intake.Taken)
            {
                if (!owner.Gateways.TryGetValue(message.Gateway, out var memory))
                {
                    Counters.Refused++;
                    continue;
                }

                _isolator.Applying(place, _commit.Readings.Count);
                _trace.Taking(_commit.Frames.Count, _alerts.Transitions.Count);
                await _applier.ApplyAsync(memory, message, _isolator.Of(place), _commit, cancellationToken);
                _trace.Took(_commit.Frames.Count, _alerts.Transitions.Count);
            }
        }
    }

    private async Task TakeHellosAsync(CancellationToken cancellationToken)
    {
        var ready = await _handler.ReadyAsync(_hellos.Take(_owned), _owned.All, cancellationToken);
        foreach (var owned in ready.GroupBy(r => r.Owner))
        {
            await _loader.LoadAsync(owned.Key, owned.Select(r => r.Gateway), cancellationToken);
        }

        var known = ready.Where(r => r.Owner.Gateways.ContainsKey(r.Gateway)).ToArray();
        Counters.Refused += ready.Count - known.Length;
        _handler.Take(known, NowMicros());
    }

    private async Task GiveUpAsync(Func<int, bool> forget)
    {
        _handler.Forget();
        _windows.RolledBack();
        _isolator.Interrupted();
        await _owned.GiveUpAsync(forget);
    }

    private TimeSpan UntilDue()
    {
        // Taking a lease sets the signal.
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
