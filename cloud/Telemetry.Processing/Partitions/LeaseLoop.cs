using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;
using Telemetry.Runtime;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Asks for leases beside the processor's rounds, so that a slow query delays no transaction. Each check reports that
/// this worker is alive, takes the free leases that fit its share, ends the transaction of a frozen owner, and lets one
/// partition go when another worker has less than its share. Used on the processor's thread.
/// </summary>
internal sealed class LeaseLoop
{
    /// <summary>In this time at most one partition is let go, so that its new owner can load its gateways.</summary>
    private static readonly TimeSpan BetweenLeaving = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a partition may be without an owner before it counts as a problem: two checks and the end of a
    /// transaction.
    /// </summary>
    private static readonly TimeSpan NobodysMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan UntilEnded = TimeSpan.FromMilliseconds(100);

    private readonly IStore _store;
    private readonly OwnedPartitions _owned;
    private readonly ProcessorOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly ProcessorFailures _failures;
    private readonly ProcessorCounters _counters;
    private readonly LeaseShare _share;
    private readonly LateLeases _late;
    private readonly Signal _wake = new();
    private long _letGoAt;
    private long _nobodysSince;

    public LeaseLoop(
        IStore store, OwnedPartitions owned, ProcessorOptions options, TimeProvider time, Random random, ILogger logger,
        ProcessorFailures failures, ProcessorCounters counters)
    {
        (_store, _owned, _options, _time, _random, _logger) = (store, owned, options, time, random, logger);
        (_failures, _counters) = (failures, counters);
        _share = new LeaseShare(options);
        _late = new LateLeases(time);
        _letGoAt = time.GetTimestamp();
        owned.Changed = _wake.Set;
    }

    /// <summary>
    /// The problem that the last check found with the leases; null when there is none. May be read on any thread.
    /// </summary>
    public string? Problem { get; private set; }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await TurnOrWaitAsync(cancellationToken);
                await _wake.WaitAsync(_options.LeaseRetry, _time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The processor is stopping, and gives the leases back itself.
        }
    }

    /// <summary>
    /// Gives all leases back, so that the next owner need not wait. A lease that cannot be given back runs out.
    /// </summary>
    public async Task EndAsync()
    {
        try
        {
            foreach (var row in await _owned.LeaveAllAsync())
            {
                await _store.ReleaseLeaseAsync(row.Partition, row.Token, CancellationToken.None);
            }

            await _store.LookAtLeasesAsync(_share.Self(0), TimeSpan.Zero, CancellationToken.None);
        }
        catch (StoreException e)
        {
            _failures.Failed(_failures.Leases, e);
        }
    }

    private async Task TurnOrWaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await TurnAsync(cancellationToken);
            _failures.Leases.Worked();
        }
        catch (StoreException e)
        {
            _counters.Errors++;
            _failures.Failed(_failures.Leases, e);
            await Task.Delay(_options.LeaseRetry, _time, cancellationToken);
        }
    }

    private async Task TurnAsync(CancellationToken cancellationToken)
    {
        while (_owned.TryTakeLeft(out var left))
        {
            await _store.ReleaseLeaseAsync(left.Partition, left.Token, cancellationToken);
        }

        var look = await _store.LookAtLeasesAsync(_share.Self(_owned.Held), _options.Lease, cancellationToken);
        _share.Saw(look);
        var seen = look.Leases.ToDictionary(l => l.Partition);
        var nobodys = new List<int>();
        foreach (var partition in _share.Mine)
        {
            var lease = seen.GetValueOrDefault(partition);
            if (_owned.Holds(partition) || await TryTakeAsync(partition, lease, cancellationToken))
            {
                _late.Forget(partition);
            }
            else if (lease is not { State: LeaseState.Held })
            {
                nobodys.Add(partition);
            }
        }

        NoteNobodys(nobodys);
        LetOneGo();
    }

    private async Task<bool> TryTakeAsync(int partition, LeaseSeen? lease, CancellationToken cancellationToken)
    {
        if (!_share.MayTake(partition, _owned.Held) || !await IsFreeAsync(partition, lease, cancellationToken))
        {
            return false;
        }

        var token = _random.NextId();
        if (await _store.TakeLeaseAsync(partition, token, _options.Owner, _options.Lease, cancellationToken)
            is not { } row)
        {
            return false;
        }

        _owned.Take(row);
        return true;
    }

    private async Task<bool> IsFreeAsync(int partition, LeaseSeen? lease, CancellationToken cancellationToken)
    {
        if (lease is null or { State: LeaseState.Released })
        {
            return true;
        }

        if (lease.State == LeaseState.Held)
        {
            _late.Forget(partition);
            return lease.Owner == _options.Owner;
        }

        var ripe = _late.Saw(lease, out var silent);
        if (silent is { } holder && await _store.EndHolderAsync(partition, holder, cancellationToken))
        {
            _counters.HoldersEnded++;
            ProcessingLog.HolderEnded(_logger, partition, lease.Owner, holder.Session, _options.Lease);
            await Task.Delay(UntilEnded, _time, cancellationToken);
        }

        return ripe || lease.Owner == _options.Owner;
    }

    private void NoteNobodys(List<int> nobodys)
    {
        if (_counters.PartitionsOfNobody == 0)
        {
            _nobodysSince = _time.GetTimestamp();
        }

        _counters.PartitionsOfNobody = nobodys.Count;
        Problem = nobodys.Count > 0 && _time.GetElapsedTime(_nobodysSince) >= NobodysMax
            ? $"nobody owns {(nobodys.Count == 1 ? "partition" : "partitions")} {string.Join(", ", nobodys)}" : null;
    }

    private void LetOneGo()
    {
        if (_time.GetElapsedTime(_letGoAt) >= BetweenLeaving
            && _owned.Held > _share.Size
            && _owned.All.LastOrDefault(o => _share.IsWanted(o.Row.Partition)) is { } owner)
        {
            _letGoAt = _time.GetTimestamp();
            _owned.Leave(owner.Row.Partition);
        }
    }
}
