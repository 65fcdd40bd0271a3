using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Webhooks;

/// <summary>A CloudEvent 1.0 in JSON's structured mode.</summary>
/// <param name="Id">Its id: the same event has the same one, however often it is sent.</param>
/// <param name="Body">The JSON.</param>
public sealed record WebhookEvent(string Id, ReadOnlyMemory<byte> Body)
{
    /// <summary>The media type of the body.</summary>
    public const string MediaType = "application/cloudevents+json";

    private const string AttributePrefix = "ce_";

    /// <summary>The event of a transition, with the attributes that it has in Kafka.</summary>
    public static WebhookEvent Of(int partition, WebhookRow row, string source)
    {
        var outboxRow = new AlertOutboxRow(partition, new AlertHead(row.Number, default), row.Id, row.Json);
        var record = AlertRecord.Of(outboxRow, 0, source, out _);
        return Make(
            row.Id,
            record.Headers.Where(h => h.Key.StartsWith(AttributePrefix, StringComparison.Ordinal))
                .Select(h => KeyValuePair.Create(h.Key[AttributePrefix.Length..], h.Value)),
            json =>
            {
                json.WritePropertyName("data");
                json.WriteRawValue(row.Json.Span);
            });
    }

    /// <summary>
    /// The event that stands for those beyond the limit of a minute: how many, and the names of the first ten.
    /// </summary>
    public static WebhookEvent Of(BrakeSummary summary, string source, DateTimeOffset now)
    {
        var id = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes($"{summary.Count} {string.Join(' ', summary.Ids)}"))
            .ToString("x32", CultureInfo.InvariantCulture);
        return Make(
            id,
            [
                new("specversion", "1.0"), new("id", id), new("source", source),
                new("type", "telemetry.alert.summary.v1"),
                new("time", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)),
            ],
            json =>
            {
                json.WriteStartObject("data");
                json.WriteNumber("transitions", summary.Count);
                json.WriteStartArray("first");
                foreach (var name in summary.First)
                {
                    json.WriteStringValue(name);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            });
    }

    private static WebhookEvent Make(
        string id, IEnumerable<KeyValuePair<string, string>> attributes, Action<Utf8JsonWriter> writeData)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        foreach (var (name, value) in attributes)
        {
            json.WriteString(name, value);
        }

        json.WriteString("datacontenttype", "application/json");
        writeData(json);
        json.WriteEndObject();
        json.Flush();
        return new WebhookEvent(id, bytes.WrittenMemory);
    }
}
