using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Streams;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// One stream of the simulated log, as JetStream keeps one: sequences that never go back while it lives, a byte limit
/// that refuses, deduplication by message id for a time, also of messages that are gone from it. No clock, no task.
/// </summary>
public sealed class SimulatedStream(long createdNanos, InstallationFacts? facts = null)
{
    private const int MessageOverheadBytes = 64;

    private readonly SortedDictionary<long, FrameLogMessage> _messages = [];
    private readonly Dictionary<string, (long Sequence, long Nanos)> _known = [];
    private readonly Queue<(string Id, long Nanos)> _knownByAge = new();
    private TaskCompletionSource _changed = new();

    /// <summary>What its description says.</summary>
    public InstallationFacts? Facts => facts;

    /// <summary>Where it stands.</summary>
    public StreamState State => new(createdNanos, First, Last);

    public long First { get; private set; } = 1;

    public long Last { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>True once it was deleted or another took its place.</summary>
    public bool Gone { get; private set; }

    /// <summary>Completes at the next change.</summary>
    public Task Changed => _changed.Task;

    /// <summary>All that it holds, by sequence.</summary>
    public IReadOnlyDictionary<long, FrameLogMessage> Messages => _messages;

    /// <summary>Null when the byte limit refuses it.</summary>
    public FrameAppend? Append(
        GatewayId gateway, string id, ReadOnlySpan<byte> data, long nowNanos, TimeSpan window, long bytesMax)
    {
        Forget(nowNanos - (long)window.TotalMicroseconds * 1000);
        if (_known.TryGetValue(id, out var known))
        {
            return new FrameAppend(known.Sequence, true);
        }

        var message = new FrameLogMessage(gateway, id, data.ToArray(), Last + 1, nowNanos);
        if (Bytes + BytesOf(message) > bytesMax)
        {
            return null;
        }

        Last++;
        Add(message);
        Remember(message);
        Wake();
        return new FrameAppend(Last, false);
    }

    public FrameLogMessage? Read(long sequence) => _messages.GetValueOrDefault(sequence);

    /// <summary>Removes what lies below; their ids stay known.</summary>
    public int RemoveBelow(long sequence)
    {
        var until = Math.Min(sequence, Last + 1);
        var removed = 0;
        for (; First < until; First++)
        {
            if (_messages.Remove(First, out var message))
            {
                Bytes -= BytesOf(message);
                removed++;
            }
        }

        Wake();
        return removed;
    }

    /// <summary>The first sequence that was stored at or after a time; one past the last when there is none.</summary>
    public long FirstSince(long nanos)
    {
        var sequence = First;
        while (sequence <= Last && _messages[sequence].StoredAtNanos < nanos)
        {
            sequence++;
        }

        return sequence;
    }

    /// <summary>
    /// What a copy of its files made now would hold; its deduplication knows what it holds, as after a restart.
    /// </summary>
    public SimulatedStream Copy()
    {
        var copy = new SimulatedStream(createdNanos, facts) { First = First, Last = Last };
        foreach (var message in _messages.Values)
        {
            copy.Add(message);
            copy.Remember(message);
        }

        return copy;
    }

    /// <summary>Readers of it learn that it is no more.</summary>
    public void MarkGone()
    {
        Gone = true;
        Wake();
    }

    /// <summary>Whoever waits for a change looks again.</summary>
    internal void Wake()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource();
        changed.SetResult();
    }

    private static long BytesOf(FrameLogMessage message) =>
        message.Data.Length + message.MessageId.Length + MessageOverheadBytes;

    private void Add(FrameLogMessage message)
    {
        _messages.Add(message.Sequence, message);
        Bytes += BytesOf(message);
    }

    private void Remember(FrameLogMessage message)
    {
        _known[message.MessageId] = (message.Sequence, message.StoredAtNanos);
        _knownByAge.Enqueue((message.MessageId, message.StoredAtNanos));
    }

    private void Forget(long before)
    {
        while (_knownByAge.TryPeek(out var oldest) && oldest.Nanos < before)
        {
            _knownByAge.Dequeue();
            _known.Remove(oldest.Id);
        }
    }
}
