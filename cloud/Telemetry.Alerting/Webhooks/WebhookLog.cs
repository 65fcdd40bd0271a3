using Microsoft.Extensions.Logging;

namespace Telemetry.Alerting.Webhooks;

/// <summary>The log messages of webhooks (ids 4200-4299): none per event.</summary>
internal static partial class WebhookLog
{
    [LoggerMessage(
        4200, LogLevel.Error,
        "Alerts {First} to {Last} of partition {Partition} were removed from the outbox before webhook {Webhook} "
        + "looked at them")]
    public static partial void Gone(ILogger logger, long first, long last, int partition, string webhook);

    [LoggerMessage(
        4201, LogLevel.Error,
        "{Events} events of webhook {Webhook} were given up ({Error}); telemetry webhooks list shows them")]
    public static partial void GivenUp(ILogger logger, int events, string webhook, string error);

    [LoggerMessage(4202, LogLevel.Warning, "The lease of webhook {Webhook} was lost; standing by")]
    public static partial void LeaseLost(ILogger logger, string webhook);
}
