using System.Threading.Channels;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Runtime;
using Telemetry.Streams;

namespace Telemetry.Ingress;

/// <summary>
/// Appends with retries: many appends at once up to a limit. Each is tried again under the same message id while the
/// log is out of reach, or while its streams do not exist (a process with access to the database makes them). The log
/// discards a repeated id that it already has, so a lost acknowledgement causes no second message.
/// </summary>
internal sealed class FrameAppender(IFrameLog log, IngressOptions options, TimeProvider time, IngressCounters counters)
{
    // An item in the channel is the right to one append under way; writers wait in order when it is full.
    private readonly Channel<byte> _places = Channels.Bounded<byte>(options.AppendsInFlightMax, singleReader: false);

    /// <summary>
    /// Appends. Throws <see cref="FrameLogException"/> at once when the stream is full, and also after the log was out
    /// of reach for <see cref="IngressOptions.AppendPatience"/> (plus at most the log's own time limit of one append).
    /// </summary>
    public async ValueTask<FrameAppend> AppendAsync(
        int partition,
        StreamKind stream,
        GatewayId gateway,
        string messageId,
        ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        if (!_places.Writer.TryWrite(0))
        {
            await WaitForPlaceAsync(cancellationToken);
        }

        try
        {
            try
            {
                return await log.AppendAsync(partition, stream, gateway, messageId, data, cancellationToken);
            }
            catch (FrameLogException e) when (!e.IsFull)
            {
                // The first append failed without a timer of its own; from here on the patience limits the retries.
                return await AppendAgainAsync(e, since, partition, stream, gateway, messageId, data, cancellationToken);
            }
        }
        finally
        {
            _places.Reader.TryRead(out _);
        }
    }

    private async ValueTask WaitForPlaceAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(options.AppendPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await _places.Writer.WriteAsync(0, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FrameLogException($"{options.AppendsInFlightMax} appends are under way and none came to an end");
        }
    }

    private async ValueTask<FrameAppend> AppendAgainAsync(
        FrameLogException last,
        long since,
        int partition,
        StreamKind stream,
        GatewayId gateway,
        string messageId,
        ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken)
    {
        var pause = options.AppendRetryFirst;
        while (time.GetElapsedTime(since) + pause < options.AppendPatience)
        {
            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < options.AppendRetryLargest ? pause * 2 : options.AppendRetryLargest;
            counters.Count(IngressEvent.AppendRetried);
            try
            {
                return await log.AppendAsync(partition, stream, gateway, messageId, data, cancellationToken);
            }
            catch (FrameLogException e) when (!e.IsFull)
            {
                last = e;
            }
        }

        throw new FrameLogException($"the log is out of reach: {last.Message}", inner: last);
    }
}
