using Microsoft.Extensions.Logging;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// Drains an outbox over an unreliable link: connects, runs an <see cref="UplinkSession"/> until it breaks, pauses with
/// jitter, and connects again. Runs on the agent's one thread.
/// </summary>
public sealed class UplinkLoop
{
    private readonly ReadingOutbox _outbox;
    private readonly IUplinkConnector _connector;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly DeliveryTracker _delivery;

    public UplinkLoop(
        ReadingOutbox outbox, GatewayId gateway, IUplinkConnector connector, UplinkOptions options, TimeProvider time,
        Random random, ILogger logger)
        : this(outbox, gateway, connector, options, time, random, logger, new AnswerOrder())
    {
    }

    internal UplinkLoop(
        ReadingOutbox outbox, GatewayId gateway, IUplinkConnector connector, UplinkOptions options, TimeProvider time,
        Random random, ILogger logger, AnswerOrder answers)
    {
        (_outbox, _connector, _options, _time, _random, _logger) = (outbox, connector, options, time, random, logger);
        _delivery = new DeliveryTracker(outbox, gateway, options, time, random, logger, Status, answers);
    }

    /// <summary>The state of the uplink.</summary>
    public UplinkStatus Status { get; } = new();

    /// <summary>Drains until it is cancelled, or until the outbox fails (its exception is then thrown).</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await _connector.ConnectAsync(cancellationToken);
                UplinkLog.Connected(_logger);
                var since = _time.GetTimestamp();
                Status.Connected = true;
                _outbox.LinkUp = true;
                var session = new UplinkSession(_outbox, connection, _delivery, _options, _time);
                await session.RunAsync(cancellationToken);
                failures = _time.GetElapsedTime(since) > _options.BackoffMax ? 0 : failures + 1;
                UplinkLog.Disconnected(_logger);
            }
            catch (UplinkException e)
            {
                failures++;
                Status.LastError = e.Message;
                UplinkLog.ConnectFailed(_logger, e.Message, e.IsTransient);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            finally
            {
                Status.Connected = false;
                _outbox.LinkUp = false;
            }

            await PauseAsync(failures, cancellationToken);
        }
    }

    private async Task PauseAsync(int failures, CancellationToken cancellationToken)
    {
        var pause = _options.BackoffMin * Math.Pow(2, Math.Clamp(failures - 1, 0, 16));
        pause = pause < _options.BackoffMax ? pause : _options.BackoffMax;
        try
        {
            await Task.Delay(pause * (0.5 + _random.NextDouble() / 2), _time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Cancelled during the pause; the loop condition handles it.
        }
    }
}
