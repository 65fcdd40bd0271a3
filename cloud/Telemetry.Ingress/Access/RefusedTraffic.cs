using System.Collections.Concurrent;
using Telemetry.Model.Protocol;
using Telemetry.Streams;

namespace Telemetry.Ingress.Access;

/// <summary>
/// What an ingress refuses for no fault of its gateways, as its readiness reports it: streams that accept no frames,
/// and hellos that reach no owner. A stream is queried until it has room again, since the agents may wait long before
/// they send again. Hellos are repeated, so they count as accepted again after some seconds without a refusal. May be
/// used on any thread.
/// </summary>
public sealed class RefusedTraffic(IFrameLog log, TimeProvider time)
{
    /// <summary>After this time without a refusal the problem may be over.</summary>
    public static readonly TimeSpan Steady = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>The bytes of a message in a stream beyond its payload: subject, headers, the stream's own.</summary>
    private const int MessageOverheadBytes = 512;

    private readonly ConcurrentDictionary<(int Partition, StreamKind Stream), Refusal> _streams = new();
    private Refusal? _hello;

    /// <summary>What is refused now, as text for people; null when nothing is.</summary>
    public string? Problem
    {
        get
        {
            foreach (var (_, refused) in _streams)
            {
                return $"frames are refused: {refused.Reason}";
            }

            return Volatile.Read(ref _hello) is { } hello && !IsOver(hello)
                ? $"hellos are refused: {hello.Reason}" : null;
        }
    }

    /// <summary>A stream refused a message of this many bytes.</summary>
    public void Frame(int partition, StreamKind stream, int bytes, string reason) =>
        _streams[(partition, stream)] = new Refusal(reason, bytes, time.GetTimestamp());

    /// <summary>A hello reached no owner.</summary>
    public void Hello(string reason) => Volatile.Write(ref _hello, new Refusal(reason, 0, time.GetTimestamp()));

    /// <summary>Checks whether streams that refused messages have room again; runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(LookEvery, time, cancellationToken);
                foreach (var (stream, refused) in _streams)
                {
                    if (IsOver(refused) && await HasRoomAsync(stream, refused.Bytes, cancellationToken))
                    {
                        _streams.TryRemove(new(stream, refused));
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process is stopping.
        }
    }

    private bool IsOver(Refusal refused) => time.GetElapsedTime(refused.At) >= Steady;

    private async ValueTask<bool> HasRoomAsync(
        (int Partition, StreamKind Stream) stream, int bytes, CancellationToken cancellationToken)
    {
        try
        {
            return await log.StateAsync(stream.Partition, stream.Stream, cancellationToken) is { } state
                && (state.BytesMax == 0 || state.Bytes + bytes + MessageOverheadBytes <= state.BytesMax);
        }
        catch (FrameLogException)
        {
            return false;
        }
    }

    private sealed record Refusal(string Reason, int Bytes, long At);
}
