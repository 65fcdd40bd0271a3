using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// What one worker saw of leases that had run out. Two checks, at least <see cref="Apart"/> from each other, must agree
/// before such a lease is taken or its holder's session is ended. After a pause of the database every lease has run
/// out, and its owners get this long to renew.
/// </summary>
internal sealed class LateLeases(TimeProvider time)
{
    /// <summary>The least time between the two checks.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    private readonly Dictionary<int, Late> _late = [];

    /// <summary>The lease was renewed, taken or given back: an earlier check no longer counts.</summary>
    public void Forget(int partition) => _late.Remove(partition);

    /// <summary>
    /// A check found that this lease has run out. Returns true when an earlier check did too. <paramref name="silent"/>
    /// is the transaction that held it and waited for its client in both.
    /// </summary>
    public bool Saw(LeaseSeen lease, out LeaseHolder? silent)
    {
        var now = time.GetTimestamp();
        if (!_late.TryGetValue(lease.Partition, out var before) || before.Token != lease.Token)
        {
            before = new Late(lease.Token, now, null, now);
        }

        if (before.Silent is null || before.Silent != lease.Holder || lease.Holder is not { WaitsForClient: true })
        {
            before = before with
            {
                Silent = lease.Holder is { WaitsForClient: true } ? lease.Holder : null,
                SilentSince = now,
            };
        }

        _late[lease.Partition] = before;
        silent = before.Silent is not null && time.GetElapsedTime(before.SilentSince) >= Apart ? before.Silent : null;
        return time.GetElapsedTime(before.Since) >= Apart;
    }

    private sealed record Late(ulong Token, long Since, LeaseHolder? Silent, long SilentSince);
}
