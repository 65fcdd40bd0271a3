using System.Text;
using Confluent.Kafka;
using Telemetry.Storage.Alerts;

namespace Telemetry.SystemTests.Alerts;

/// <summary>
/// Reads the alerts as any read_committed consumer of the topic does, on a thread of its own, and tells each.
/// </summary>
public sealed class AlertConsumer : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly AlertBroker _broker;
    private readonly Func<AlertTransition, Task> _tell;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public AlertConsumer(AlertBroker broker, Func<AlertTransition, Task> tell)
    {
        (_broker, _tell) = (broker, tell);
        _running = Task.Factory.StartNew(
            Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _end.Dispose();
    }

    private void Read()
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = _broker.Servers,
            GroupId = "system-tests",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            AllowAutoCreateTopics = false,
            TopicMetadataRefreshIntervalMs = 1000,
            IsolationLevel = IsolationLevel.ReadCommitted,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Subscribe(_broker.Topic);
        while (!_end.IsCancellationRequested)
        {
            try
            {
                if (consumer.Consume(Poll) is { Message: { } message })
                {
                    _tell(AlertTransition.FromJson(message.Value)).GetAwaiter().GetResult();
                }
            }
            catch (ConsumeException e) when (!e.Error.IsFatal)
            {
                // The topic is not there before the relay has made it.
                _end.Token.WaitHandle.WaitOne(Poll);
            }
        }

        consumer.Close();
    }

    /// <summary>An alert as a line of text.</summary>
    public static string Text(AlertTransition alert)
    {
        var text = new StringBuilder();
        text.Append(System.Globalization.CultureInfo.InvariantCulture,
            $"alert {(alert.Kind == AlertKind.Firing ? "FIRING  " : "resolved")} {alert.Rule} ({alert.Severity}): ")
            .Append(System.Globalization.CultureInfo.InvariantCulture,
                $"{alert.Gateway}/{alert.Device} {alert.Metric} = {alert.Value:0.##}, detected after "
                + $"{alert.DetectionDelayMicros / 1e6:0.0} s");
        return alert.Late ? text.Append(", late").ToString() : text.ToString();
    }
}
