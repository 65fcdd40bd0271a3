using Telemetry.Alerting.Relay;
using Telemetry.Alerting.Webhooks;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Alerts;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>webhooks</c>, its file too.</summary>
internal static class WebhooksSection
{
    public static WebhookOptions Read(SettingsReader reader, RelayOptions relay, AlertOutboxOptions outbox)
    {
        IReadOnlyList<Webhook>? webhooks = [];
        if (reader.Text("webhooks.file") is { } file)
        {
            webhooks = WebhooksFile.Read(file, outbox.Keep, out var problems);
            foreach (var problem in problems)
            {
                reader.Problem("webhooks.file", problem);
            }
        }

        return new WebhookOptions { Webhooks = webhooks ?? [], Owner = relay.Owner, Source = relay.Source };
    }
}
