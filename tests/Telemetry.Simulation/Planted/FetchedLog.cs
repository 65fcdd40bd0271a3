using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug, for one processor: reading goes on from what was fetched, whatever position the database has.
/// </summary>
internal sealed class FetchedLog(IFrameLog log) : IFrameLog
{
    private readonly Dictionary<(int Partition, StreamKind Stream, long Created), long> _fetched = [];

    public InstallationFacts? Facts => log.Facts;

    public ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken) =>
        log.FindInstallationAsync(cancellationToken);

    public Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken) =>
        log.EnsureStreamsAsync(partition, cancellationToken);

    public ValueTask<FrameAppend> AppendAsync(
        int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken) =>
        log.AppendAsync(partition, stream, gateway, messageId, data, cancellationToken);

    public ValueTask<StreamState?> StateAsync(int partition, StreamKind stream, CancellationToken cancellationToken) =>
        log.StateAsync(partition, stream, cancellationToken);

    public ValueTask<FrameLogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken) =>
        log.ReadAsync(partition, stream, sequence, cancellationToken);

    public async ValueTask<IFrameLogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken)
    {
        var state = await log.StateAsync(partition, stream, cancellationToken);
        var key = (partition, stream, state?.CreatedNanos ?? 0);
        var next = Math.Max(from, _fetched.GetValueOrDefault(key) + 1);
        return new Reader(
            await log.BeginAsync(partition, stream, next, cancellationToken), sequence => _fetched[key] = sequence);
    }

    public Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken) =>
        log.PurgeAsync(partition, stream, below, cancellationToken);

    private sealed class Reader(IFrameLogReader reader, Action<long> fetched) : IFrameLogReader
    {
        public string? End => reader.End;

        public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => reader.WaitAsync(cancellationToken);

        public bool TryRead(out FrameLogMessage message)
        {
            var read = reader.TryRead(out message);
            if (read)
            {
                fetched(message.Sequence);
            }

            return read;
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
