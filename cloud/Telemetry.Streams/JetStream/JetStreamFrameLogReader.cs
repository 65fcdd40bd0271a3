using Telemetry.Model.Protocol;

namespace Telemetry.Streams.JetStream;

/// <summary>Reads a JetStream stream. One caller at a time.</summary>
internal sealed class JetStreamFrameLogReader(PullConsumer consumer) : IFrameLogReader
{
    public string? End => consumer.End is { } end ? $"{end.Reason}: {end.Detail}" : null;

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        consumer.WaitToReadAsync(cancellationToken);

    public bool TryRead(out FrameLogMessage message)
    {
        while (consumer.TryRead(out var next))
        {
            // Somebody with the server's own rights wrote a subject that no gateway has. Such a message is
            // skipped.
            if (StreamNames.TryGatewayOfSubject(next.Subject, out var gateway))
            {
                message = new FrameLogMessage(
                    gateway, next.MessageId ?? "", next.Data, (long)next.Sequence, next.StoredAtNanoseconds);
                return true;
            }
        }

        message = null!;
        return false;
    }

    public ValueTask DisposeAsync() => consumer.DisposeAsync();
}
