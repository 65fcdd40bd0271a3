using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// The frame log in memory: the behaviour of JetStream, and its failures. Any call may fail before or after its effect
/// (<see cref="Calls"/>). Acts of an operator and faults are in <see cref="Wipe"/> and the methods next to it; those
/// take no time.
/// </summary>
public sealed class SimulatedFrameLog : IFrameLog
{
    private readonly SimulatedFrameLogFiles _files;

    public SimulatedFrameLog(Pump pump, Random random)
    {
        _files = new SimulatedFrameLogFiles();
        Calls = new SimulatedCalls(pump, random) { KeepsOrder = true };
    }

    private SimulatedFrameLog(SimulatedFrameLog log, InstallationFacts facts) =>
        (_files, Calls, Facts) = (log._files, log.Calls, facts);

    /// <inheritdoc/>
    public InstallationFacts? Facts { get; }

    /// <summary>The connection to it.</summary>
    public SimulatedCalls Calls { get; }

    /// <summary>How long a message id is remembered.</summary>
    public TimeSpan DuplicateWindow
    {
        get => _files.DuplicateWindow;
        set => _files.DuplicateWindow = value;
    }

    /// <summary>True: readers fetch while their messages are used, as those of a real log; false: when idle.</summary>
    public bool ReadsAhead
    {
        get => _files.ReadsAhead;
        set => _files.ReadsAhead = value;
    }

    /// <summary>The most bytes of a LIVE stream; beyond them it refuses.</summary>
    public long LiveBytesMax
    {
        get => _files.LiveBytesMax;
        set => _files.LiveBytesMax = value;
    }

    /// <summary>The most bytes of a BACKLOG stream; beyond them it refuses.</summary>
    public long BacklogBytesMax
    {
        get => _files.BacklogBytesMax;
        set => _files.BacklogBytesMax = value;
    }

    private int Generation => Facts?.Generation ?? 1;

    /// <summary>
    /// The same log, used with these facts. A log that is used without facts has streams without a description, as in
    /// all tests of a single configuration.
    /// </summary>
    public SimulatedFrameLog As(InstallationFacts facts) => new(this, facts);

    /// <inheritdoc/>
    public async ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken) =>
        await CallAsync("find the installation", () => _files.Told, cancellationToken);

    /// <summary>Somebody changes the log's record of its installation, or it is lost.</summary>
    public void Tell(StreamInstallation? told) => _files.Told = told;

    /// <inheritdoc/>
    public async Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken) =>
        await CallAsync(
            $"ensure streams {partition}",
            () =>
            {
                Enter();
                return Ensure(partition);
            },
            cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<FrameAppend> AppendAsync(
        int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        var bytes = data.ToArray();
        var bytesMax = stream == StreamKind.Live ? LiveBytesMax : BacklogBytesMax;
        return await CallAsync(
            $"append {messageId}",
            () => Reached(partition, stream).Append(gateway, messageId, bytes, Nanos(), DuplicateWindow, bytesMax)
                ?? throw new FrameLogException($"append {messageId}: {Name(partition, stream)} is full", isFull: true),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<StreamState?> StateAsync(
        int partition, StreamKind stream, CancellationToken cancellationToken) =>
        await CallAsync(
            $"state of {Name(partition, stream)}", () => Checked(partition, stream)?.State, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<FrameLogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken) =>
        await CallAsync(
            $"read {Name(partition, stream)}:{sequence}",
            () => Find(partition, stream)?.Read(sequence),
            cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IFrameLogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken) =>
        await CallAsync(
            $"begin {Name(partition, stream)} from {from}",
            () => new SimulatedFrameLogReader(_files, Calls, Require(partition, stream), from, Calls.Latency),
            cancellationToken);

    /// <inheritdoc/>
    public async Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken) =>
        await CallAsync(
            $"purge {Name(partition, stream)} below {below}",
            () => Require(partition, stream).RemoveBelow(below),
            cancellationToken);

    /// <summary>A stream as it is now, without any faults; null when there is none.</summary>
    public SimulatedStream? Find(int partition, StreamKind stream) =>
        _files.Streams.GetValueOrDefault((Generation, partition, stream));

    /// <summary>All messages of a stream are lost, and it is created again.</summary>
    public void Wipe(int partition, StreamKind stream)
    {
        Delete(partition, stream);
        MakeMissing(partition, Facts ?? _files.Told?.Facts);
    }

    /// <summary>The stream does not exist until somebody makes it.</summary>
    public void Delete(int partition, StreamKind stream)
    {
        if (_files.Streams.Remove((Generation, partition, stream), out var old))
        {
            old.MarkGone();
        }
    }

    /// <summary>Removes messages below a sequence; their ids are remembered for the window.</summary>
    public int Purge(int partition, StreamKind stream, long below) => Find(partition, stream)?.RemoveBelow(below) ?? 0;

    /// <summary>Removes messages older than an age.</summary>
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
        _files.Streams[(Generation, partition, stream)] = copy.Copy();
        Disconnect();
    }

    /// <summary>Every reader loses its connection.</summary>
    public void Disconnect()
    {
        _files.Connections++;
        foreach (var stream in _files.Streams.Values)
        {
            stream.Wake();
        }
    }

    private string Name(int partition, StreamKind stream) => StreamNames.Stream(partition, stream, Generation);

    private Task<T> CallAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken) => Calls.CallAsync(
        what,
        effect,
        before => new FrameLogException(before ? $"{what}: no connection" : $"{what}: connection lost, no answer"),
        cancellationToken);

    /// <summary>Writes or compares the facts, like a process that makes streams.</summary>
    private void Enter()
    {
        if (Facts is not { } facts || _files.Told?.Facts == facts)
        {
            return;
        }

        if (_files.Told is { } told && (told.Facts.Id != facts.Id || told.Facts.Generation >= facts.Generation))
        {
            throw InstallationException.Changed(facts, told.Facts, InstallationException.InLog);
        }

        _files.Told = new StreamInstallation(facts);
    }

    private bool Ensure(int partition)
    {
        Checked(partition, StreamKind.Live);
        Checked(partition, StreamKind.Backlog);
        MakeMissing(partition, Facts);
        return true;
    }

    private void MakeMissing(int partition, InstallationFacts? facts)
    {
        foreach (var kind in (ReadOnlySpan<StreamKind>)[StreamKind.Live, StreamKind.Backlog])
        {
            if (Find(partition, kind) is null)
            {
                _files.Streams.Add((Generation, partition, kind), new SimulatedStream(Nanos(), facts));
            }
        }
    }

    private SimulatedStream? Checked(int partition, StreamKind kind)
    {
        var found = Find(partition, kind);
        return found is null || found.Facts == Facts
            ? found
            : throw InstallationException.Changed(
                Facts ?? found.Facts!, found.Facts ?? Facts!, $"the description of stream {Name(partition, kind)}");
    }

    private SimulatedStream Require(int partition, StreamKind stream) => Find(partition, stream)
        ?? throw new FrameLogException($"there is no stream {Name(partition, stream)}");

    // The subject contains generation and number of partitions: a message with others reaches no stream.
    private SimulatedStream Reached(int partition, StreamKind stream) =>
        Find(partition, stream) is { } found && found.Facts?.Partitions == Facts?.Partitions
            ? found
            : throw new FrameLogException($"no stream takes what goes to {Name(partition, stream)}");

    private long Nanos() => _files.Nanos(Now());

    private long Now() => (Calls.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
