using Telemetry.Cloud.Log;
using Telemetry.Model;
using Telemetry.Testing.Time;

namespace Telemetry.Testing.Simulated;

/// <summary>
/// The log in memory: what JetStream does, and what happens to JetStream. Any call may fail before or after its effect
/// (<see cref="Calls"/>). What an operator or a fault does is in <see cref="Wipe"/> and its neighbours; those take no
/// time.
/// </summary>
public sealed class SimulatedLog(Pump pump, Random random) : ILog
{
    private readonly Dictionary<(int Partition, StreamKind Kind), SimulatedStream> _streams = [];
    private long _nanosLast;

    /// <summary>The way to it.</summary>
    public SimulatedCalls Calls { get; } = new(pump, random) { KeepsOrder = true };

    /// <summary>How long a message id is remembered.</summary>
    public TimeSpan DuplicateWindow { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The most bytes of a LIVE stream; beyond them it refuses.</summary>
    public long LiveBytesMax { get; set; } = long.MaxValue;

    /// <summary>The most bytes of a BACKLOG stream; beyond them it refuses.</summary>
    public long BacklogBytesMax { get; set; } = long.MaxValue;

    /// <summary>Counts up when every reader loses its connection.</summary>
    internal int Connections { get; private set; }

    /// <inheritdoc/>
    public async Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken) =>
        await CallAsync($"ensure streams {partition}", () => Ensure(partition), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<LogAppend> AppendAsync(
        int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        var bytes = data.ToArray();
        var bytesMax = stream == StreamKind.Live ? LiveBytesMax : BacklogBytesMax;
        return await CallAsync(
            $"append {messageId}",
            () => Require(partition, stream).Append(gateway, messageId, bytes, Nanos(), DuplicateWindow, bytesMax)
                ?? throw new LogException($"append {messageId}: {Name(partition, stream)} is full", isFull: true),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<StreamState?> StateAsync(
        int partition, StreamKind stream, CancellationToken cancellationToken) =>
        await CallAsync($"state of {Name(partition, stream)}", () => Find(partition, stream)?.State, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<LogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken) =>
        await CallAsync(
            $"read {Name(partition, stream)}:{sequence}",
            () => Find(partition, stream)?.Read(sequence),
            cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<ILogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken) =>
        await CallAsync(
            $"begin {Name(partition, stream)} from {from}",
            () => new SimulatedLogReader(this, Require(partition, stream), from, Calls.Latency),
            cancellationToken);

    /// <inheritdoc/>
    public async Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken) =>
        await CallAsync(
            $"purge {Name(partition, stream)} below {below}",
            () => Require(partition, stream).RemoveBelow(below),
            cancellationToken);

    /// <summary>A stream as it stands now, past all faults; null when there is none.</summary>
    public SimulatedStream? Find(int partition, StreamKind stream) => _streams.GetValueOrDefault((partition, stream));

    /// <summary>All messages of a stream are lost, and it is made anew.</summary>
    public void Wipe(int partition, StreamKind stream)
    {
        Delete(partition, stream);
        Ensure(partition);
    }

    /// <summary>The stream is gone until somebody makes it.</summary>
    public void Delete(int partition, StreamKind stream)
    {
        if (_streams.Remove((partition, stream), out var old))
        {
            old.MarkGone();
        }
    }

    /// <summary>Removes messages below a sequence; their ids stay known for the window.</summary>
    public int Purge(int partition, StreamKind stream, long below) => Find(partition, stream)?.RemoveBelow(below) ?? 0;

    /// <summary>Messages older than an age go.</summary>
    public int Expire(int partition, StreamKind stream, TimeSpan age)
    {
        var before = Now() - (long)age.TotalMicroseconds * 1000;
        return Find(partition, stream) is { } held ? held.RemoveBelow(held.FirstSince(before)) : 0;
    }

    /// <summary>A copy of its files; null when there is no such stream.</summary>
    public SimulatedStream? Copy(int partition, StreamKind stream) => Find(partition, stream)?.Copy();

    /// <summary>
    /// The server stops, gets an older copy of the stream's files, and starts: every reader loses its connection.
    /// </summary>
    public void PutBack(int partition, StreamKind stream, SimulatedStream copy)
    {
        Find(partition, stream)?.MarkGone();
        _streams[(partition, stream)] = copy.Copy();
        Disconnect();
    }

    /// <summary>Every reader loses its connection.</summary>
    public void Disconnect()
    {
        Connections++;
        foreach (var stream in _streams.Values)
        {
            stream.Wake();
        }
    }

    private static string Name(int partition, StreamKind stream) => Routes.StreamName(partition, stream);

    private Task<T> CallAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken) => Calls.CallAsync(
        what,
        effect,
        before => new LogException(before ? $"{what}: no connection" : $"{what}: connection lost, no answer"),
        cancellationToken);

    private bool Ensure(int partition)
    {
        foreach (var kind in (ReadOnlySpan<StreamKind>)[StreamKind.Live, StreamKind.Backlog])
        {
            if (!_streams.ContainsKey((partition, kind)))
            {
                _streams.Add((partition, kind), new SimulatedStream(Nanos()));
            }
        }

        return true;
    }

    private SimulatedStream Require(int partition, StreamKind stream) => Find(partition, stream)
        ?? throw new LogException($"there is no stream {Name(partition, stream)}");

    // As with a real server, no two things have one time.
    private long Nanos() => _nanosLast = Math.Max(_nanosLast + 1, Now());

    private long Now() => (Calls.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
