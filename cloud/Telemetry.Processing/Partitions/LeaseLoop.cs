using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;
using Telemetry.Runtime;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Asks for leases beside the processor's rounds, so that a look that takes long delays no transaction. At each look:
/// says that this worker is alive, takes what is free and fits its share, ends the transaction of a frozen owner, and
/// lets one partition go when another worker has less than its share. On the processor's thread.
/// </summary>
internal sealed class LeaseLoop
{
    /// <summary>At most one partition is let go in this time, so that who gets it can load its gateways.</summary>
    private static readonly TimeSpan BetweenLeaving = TimeSpan.FromSeconds(1);

    /// <summary>How long a partition may be nobody's before that is a problem: looks and a transaction's end.</summary>
    private static readonly TimeSpan NobodysMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan UntilEnded = TimeSpan.FromMilliseconds(100);

    private readonly IStore _store;
    private readonly OwnedPartitions _owned;
    private readonly ProcessorOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly ProcessorFailures _troubles;
    private readonly ProcessorCounters _counters;
    private readonly LeaseShare _share;
    private readonly LateLeases _late;
    private readonly Signal _wake = new();
    private long _letGoAt;
    private long _nobodysSince;

    public LeaseLoop(
        IStore store, OwnedPartitions owned, ProcessorOptions options, TimeProvider time, Random random, ILogger logger,
        ProcessorFailures troubles, ProcessorCounters counters)
    {
        (_store, _owned, _options, _time, _random, _logger) = (store, owned, options, time, random, logger);
        (_troubles, _counters) = (troubles, counters);
        _share = new LeaseShare(options);
        _late = new LateLeases(time);
        _letGoAt = time.GetTimestamp();
        owned.Changed = _wake.Set;
    }

    /// <summary>What is wrong with the leases, as the last look found it; null when nothing is. Any thread.</summary>
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
            // The processor stops, and gives the leases back itself.
        }
    }

    /// <summary>Gives everything back, so that the next owner need not wait; what fails runs out by itself.</summary>
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
            _troubles.Failed(_troubles.Leases, e);
        }
    }

    private async Task TurnOrWaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await TurnAsync(cancellationToken);
            _troubles.Leases.Worked();
        }
        catch (StoreException e)
        {
            _counters.Errors++;
            _troubles.Failed(_troubles.Leases, e);
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
