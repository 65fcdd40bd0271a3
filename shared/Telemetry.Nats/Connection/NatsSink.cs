using System.Collections.Concurrent;
using System.Text;

namespace Telemetry.Nats;

/// <summary>
/// Where a subscription's messages go. The receive loop calls <see cref="Deliver"/>; it must not block.
/// </summary>
internal abstract class NatsSink(string subject, string? queueGroup)
{
    public long Id { get; set; }

    public string Subject => subject;

    public string? QueueGroup => queueGroup;

    /// <summary>Subscribed again on the next link; otherwise it ends with the link it began on.</summary>
    public abstract bool SurvivesReconnect { get; }

    public abstract void Deliver(in NatsFrame frame);

    /// <summary>The link broke under a sink that does not survive it, or the connection was closed.</summary>
    public virtual void End(NatsException reason)
    {
    }
}

/// <summary>The subscriptions of a connection by id. Thread-safe.</summary>
internal sealed class NatsSinkTable(int countMax)
{
    private readonly ConcurrentDictionary<long, NatsSink> _sinks = new();
    private long _lastId;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Add(NatsSink sink)
    {
        if (Interlocked.Increment(ref _count) > countMax)
        {
            Interlocked.Decrement(ref _count);
            throw new InvalidOperationException($"More than {countMax} subscriptions (SubscriptionsMax)");
        }

        sink.Id = Interlocked.Increment(ref _lastId);
        _sinks[sink.Id] = sink;
    }

    public bool Remove(NatsSink sink)
    {
        if (!_sinks.TryRemove(sink.Id, out _))
        {
            return false;
        }

        Interlocked.Decrement(ref _count);
        return true;
    }

    public bool TryFind(long id, out NatsSink? sink) => _sinks.TryGetValue(id, out sink);

    /// <summary>In the order in which they were made.</summary>
    public NatsSink[] Snapshot() => [.. _sinks.Values.OrderBy(sink => sink.Id)];
}

/// <summary>
/// Turns subjects into strings without making the same string again and again. Bounded: subjects whose hashes
/// collide push each other out. The receive loop alone touches it.
/// </summary>
internal sealed class NatsSubjectCache
{
    private readonly string?[] _slots = new string?[256];

    public string Get(ReadOnlySpan<byte> subject)
    {
        var hash = 2166136261u;
        foreach (var b in subject)
        {
            hash = (hash ^ b) * 16777619u;
        }

        ref var slot = ref _slots[(hash ^ (hash >> 16)) & 255];
        if (slot is null || slot.Length != subject.Length || !Ascii.Equals(subject, slot))
        {
            slot = Encoding.UTF8.GetString(subject);
        }

        return slot;
    }
}
