using Telemetry.Model.Protocol;
using Telemetry.Simulation.Faults;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// Older copies of database, streams and outboxes, taken now and then where the mix may put one back.
/// </summary>
internal sealed class Backups(SimulatedWorld world)
{
    private const int KeptMax = 3;

    private readonly List<SimulatedDatabase> _databases = [];
    private readonly Dictionary<(int Partition, StreamKind Kind), List<SimulatedStream>> _streams = [];
    private readonly Dictionary<GatewayMachine, List<OutboxCopy>> _outboxes = [];

    /// <summary>Takes copies; now and then.</summary>
    public void Take()
    {
        if (world.Mix.Has(Fault.DatabasePutBack) || world.Mix.Tail == Tail.AgentsOff)
        {
            Keep(_databases, world.Store.Content);
        }

        if (world.Mix.Has(Fault.LogPutBack) && ChooseStream() is var chosen
            && world.Log.Copy(chosen.Partition, chosen.Kind) is { } copy)
        {
            Keep(Of(_streams, chosen), copy);
        }

        if (world.Mix.Has(Fault.OutboxPutBack))
        {
            var gateway = Choose(world.Gateways);
            Keep(Of(_outboxes, gateway), new OutboxCopy(gateway.Disk.Snapshot(), world.Now));
        }
    }

    /// <summary>One of the kept databases; null when there is none.</summary>
    public SimulatedDatabase? ADatabase() => _databases.Count == 0 ? null : Choose(_databases);

    /// <summary>One of the kept copies of some stream; null when there is none.</summary>
    public (int Partition, StreamKind Kind, SimulatedStream Copy)? AStream()
    {
        var kept = _streams.Where(s => s.Value.Count > 0).ToArray();
        if (kept.Length == 0)
        {
            return null;
        }

        var ((partition, kind), copies) = Choose(kept);
        return (partition, kind, Choose(copies));
    }

    /// <summary>One of the kept copies of some outbox; null when there is none.</summary>
    public (GatewayMachine Gateway, OutboxCopy Copy)? AnOutbox()
    {
        var kept = _outboxes.Where(o => o.Value.Count > 0).ToArray();
        if (kept.Length == 0)
        {
            return null;
        }

        var (gateway, copies) = Choose(kept);
        return (gateway, Choose(copies));
    }

    /// <summary>
    /// Up to where a stream may be purged: no database that may still be put back needs what lies below.
    /// </summary>
    public long PurgeFloor(int partition, StreamKind kind)
    {
        var created = world.Log.Find(partition, kind)?.State.CreatedNanos;
        var databases = world.Mix.PurgesBeyondBackups ? [world.Store.Content] : _databases.Append(world.Store.Content);
        return databases.Select(d => Position(d, partition, kind))
            .Min(p => p.StreamCreatedNanos == created ? p.Sequence : 0);
    }

    /// <summary>Any stream of any partition.</summary>
    public (int Partition, StreamKind Kind) ChooseStream() =>
        (world.Random.Next(SimulatedWorld.Partitions), (StreamKind)world.Random.Next(2));

    private static StreamPosition Position(SimulatedDatabase database, int partition, StreamKind kind) =>
        database.Partitions.GetValueOrDefault(partition) is not { } held ? StreamPosition.None
        : kind == StreamKind.Live ? held.Row.Live : held.Row.Backlog;

    private static List<T> Of<TKey, T>(Dictionary<TKey, List<T>> kept, TKey key)
        where TKey : notnull =>
        kept.TryGetValue(key, out var list) ? list : kept[key] = [];

    private void Keep<T>(List<T> kept, T copy)
    {
        if (kept.Count == KeptMax)
        {
            kept.RemoveAt(world.Random.Next(kept.Count));
        }

        kept.Add(copy);
    }

    private T Choose<T>(IReadOnlyList<T> from) => from[world.Random.Next(from.Count)];
}
