using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;

namespace Telemetry.Tests.Ingress;

/// <summary>
/// A frame log that does what the test says at each append; it knows message ids as the real one does.
/// </summary>
internal sealed class FakeFrameLog(TimeProvider time) : IFrameLog
{
    private readonly Dictionary<string, long> _sequences = [];

    public List<(int Partition, StreamKind Stream, string MessageId, byte[] Data)> Stored { get; } = [];

    public List<string> Tried { get; } = [];

    public int Ensured { get; private set; }

    public int UnderWay { get; private set; }

    public int UnderWayMost { get; private set; }

    /// <summary>How long an append takes.</summary>
    public TimeSpan Takes { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>What an append throws before it stores (true: after it stored); null for none.</summary>
    public Func<int, (FrameLogException? Error, bool AfterStored)> Fault { get; set; } = _ => (null, false);

    public InstallationFacts? Facts => null;

    /// <summary>What <see cref="FindInstallationAsync"/> finds.</summary>
    public StreamInstallation? Told { get; set; }

    public ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken) => new(Told);

    public Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken)
    {
        Ensured++;
        return Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken);
    }

    public async ValueTask<FrameAppend> AppendAsync(
        int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        Tried.Add(messageId);
        var (error, afterStored) = Fault(Tried.Count);
        UnderWayMost = Math.Max(UnderWayMost, ++UnderWay);
        try
        {
            await Task.Delay(Takes, time, cancellationToken);
        }
        finally
        {
            UnderWay--;
        }

        if (error is not null && !afterStored)
        {
            throw error;
        }

        var duplicate = _sequences.TryGetValue(messageId, out var sequence);
        if (!duplicate)
        {
            Stored.Add((partition, stream, messageId, data.ToArray()));
            _sequences[messageId] = sequence = Stored.Count;
        }

        return error is null ? new FrameAppend(sequence, duplicate) : throw error;
    }

    public ValueTask<StreamState?> StateAsync(int partition, StreamKind stream, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<FrameLogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<IFrameLogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
