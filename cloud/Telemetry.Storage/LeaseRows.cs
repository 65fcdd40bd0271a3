namespace Telemetry.Storage;

/// <summary>
/// What a worker reports about itself each time it reads the leases, so that the others know that it is alive.
/// </summary>
/// <param name="Owner">The owner's name in the leases.</param>
/// <param name="Worker">The number of the worker in its process, from 0.</param>
/// <param name="Workers">
/// How many workers that process has: this one asks for the partitions p with p mod workers = worker.
/// </param>
/// <param name="Held">How many partitions it holds.</param>
public sealed record LiveWorker(string Owner, int Worker, int Workers, int Held)
{
    /// <summary>True when this worker asks for the partition's lease.</summary>
    public bool AsksFor(int partition) => partition % Workers == Worker;
}

/// <summary>The state of a partition's lease, by the database's clock.</summary>
public enum LeaseState
{
    /// <summary>Its owner holds it; it has not run out.</summary>
    Held,

    /// <summary>Its owner did not renew it in time.</summary>
    RunOut,

    /// <summary>Its owner gave it back.</summary>
    Released,
}

/// <summary>
/// The transaction that holds a partition: the session that it runs on, when it began, and whether it only waits for
/// its client's next statement.
/// </summary>
public readonly record struct LeaseHolder(int Session, DateTime Since, bool WaitsForClient);

/// <summary>
/// The lease of a partition at the time of one query. <paramref name="Holder"/> is only looked up when the lease has
/// run out.
/// </summary>
public sealed record LeaseSeen(int Partition, ulong Token, string Owner, LeaseState State, LeaseHolder? Holder = null);

/// <summary>
/// The result of one query of the leases: every worker that is alive, and every partition that was ever leased.
/// </summary>
public sealed record LeaseLook(IReadOnlyList<LiveWorker> Workers, IReadOnlyList<LeaseSeen> Leases);
