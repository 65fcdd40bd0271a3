using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>The thin form of an event: which alert changed and how, without values.</summary>
/// <param name="Id">The transition's id.</param>
/// <param name="Instance">The instance's id.</param>
/// <param name="Rule">The rule's name.</param>
/// <param name="Kind">How it changed.</param>
/// <param name="Severity">Its severity.</param>
/// <param name="Gateway">The gateway.</param>
/// <param name="Device">The device.</param>
/// <param name="Metric">The metric.</param>
/// <param name="TimeMicros">Event time, in microseconds since 1970 UTC.</param>
/// <param name="Late">True for old news.</param>
public sealed record AlertNotice(
    string Id, string Instance, string Rule, AlertKind Kind, string Severity, string Gateway, string Device,
    string Metric, long TimeMicros, bool Late)
{
    public static AlertNotice Of(AlertTransition full) => new(
        full.Id, full.Instance, full.Rule, full.Kind, full.Severity, full.Gateway, full.Device, full.Metric,
        full.TimeMicros, full.Late);

    /// <summary>JSON in UTF-8; the same notice gives the same bytes.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, AlertNoticeJson.Default.AlertNotice);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AlertNotice))]
internal sealed partial class AlertNoticeJson : JsonSerializerContext;
