using System.Text.Json;
using System.Text.Json.Serialization;

namespace Telemetry.Nats;

/// <summary>What a server says of itself in INFO; unknown fields are passed over.</summary>
public sealed record NatsServerInfo
{
    /// <summary>Id of the server process.</summary>
    [JsonPropertyName("server_id")]
    public string ServerId { get; init; } = "";

    /// <summary>Version, e.g. <c>2.9.10</c>.</summary>
    [JsonPropertyName("version")]
    public string Version { get; init; } = "";

    /// <summary>The server takes and sends headers.</summary>
    [JsonPropertyName("headers")]
    public bool Headers { get; init; }

    /// <summary>JetStream is on.</summary>
    [JsonPropertyName("jetstream")]
    public bool JetStream { get; init; }

    /// <summary>Largest message (headers and payload), in bytes.</summary>
    [JsonPropertyName("max_payload")]
    public int MaxPayload { get; init; } = 1024 * 1024;

    /// <summary>The server goes on in TLS only.</summary>
    [JsonPropertyName("tls_required")]
    public bool TlsRequired { get; init; }

    /// <summary>The server can go on in TLS.</summary>
    [JsonPropertyName("tls_available")]
    public bool TlsAvailable { get; init; }

    /// <summary>The server wants credentials.</summary>
    [JsonPropertyName("auth_required")]
    public bool AuthenticationRequired { get; init; }

    /// <summary>The server is about to shut down and wants its clients to leave.</summary>
    [JsonPropertyName("ldm")]
    public bool LameDuck { get; init; }

    internal static NatsServerInfo Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var info = JsonSerializer.Deserialize(json, NatsJson.Default.NatsServerInfo)
                ?? throw new NatsProtocolException("INFO is null");

            // The generated reader leaves null where a field is missing.
            return info with { ServerId = info.ServerId ?? "", Version = info.Version ?? "" };
        }
        catch (JsonException e)
        {
            throw new NatsProtocolException("INFO is no JSON object", e);
        }
    }
}

/// <summary>What CONNECT says; see https://docs.nats.io/reference/reference-protocols/nats-protocol.</summary>
internal sealed record NatsConnectRequest
{
    [JsonPropertyName("verbose")]
    public bool Verbose { get; init; }

    [JsonPropertyName("pedantic")]
    public bool Pedantic { get; init; }

    [JsonPropertyName("tls_required")]
    public bool TlsRequired { get; init; }

    [JsonPropertyName("auth_token")]
    public string? Token { get; init; }

    [JsonPropertyName("user")]
    public string? User { get; init; }

    [JsonPropertyName("pass")]
    public string? Password { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("lang")]
    public string Language { get; init; } = "csharp";

    [JsonPropertyName("version")]
    public string Version { get; init; } = "0.1.0";

    [JsonPropertyName("protocol")]
    public int Protocol { get; init; } = 1;

    [JsonPropertyName("headers")]
    public bool Headers { get; init; } = true;

    [JsonPropertyName("no_responders")]
    public bool NoResponders { get; init; } = true;

    [JsonPropertyName("echo")]
    public bool Echo { get; init; } = true;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NatsServerInfo))]
[JsonSerializable(typeof(NatsConnectRequest))]
internal sealed partial class NatsJson : JsonSerializerContext;
