using Telemetry.Processing.Fleet;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Intake;
using Telemetry.Processing.Partitions;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing;

/// <summary>
/// Sends stored-acks, answers and requests for schemas down to the gateways, and then what changed to the dashboards.
/// </summary>
internal sealed class AnswerSender(
    IControlChannel control, HelloHandler handler, PendingAcks acks, OwnedPartitions owned, ProcessorFailures failures,
    ProcessorCounters counters, TimeProvider time, IFleetChannel? fleet)
{
    private readonly ChangePublisher _changes = new(fleet, owned, time);

    /// <summary>
    /// Runs after the commit. A message that is lost here is repeated in the answer to the next hello, so an
    /// unreachable control channel costs nothing else.
    /// </summary>
    public async Task SendAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        try
        {
            var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            await SendAllAsync(now, cancellationToken);
        }
        catch (FrameLogException e)
        {
            failures.Reading.Failed(e.Message);
            handler.Unsaid();
            counters.Errors++;
        }

        await _changes.PublishAsync(commit, cancellationToken);
    }

    private async Task SendAllAsync(long now, CancellationToken cancellationToken)
    {
        foreach (var (gateway, message) in await handler.AnswersAsync(now, cancellationToken))
        {
            await control.SendDownAsync(gateway, message, cancellationToken);
        }

        foreach (var gateway in acks.Gateways)
        {
            await control.SendDownAsync(
                gateway.Gateway, acks.StoredAck(gateway, owned.OwnerOf(gateway.Gateway), now), cancellationToken);
        }

        foreach (var (gateway, message) in acks.SchemaRequests(g => owned.OwnerOf(g).Row.Token))
        {
            await control.SendDownAsync(gateway, message, cancellationToken);
        }
    }
}
