using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Writes answers in InfluxDB's words: version 1 <c>{"error":"…"}</c> and the header X-Influxdb-Error, version 2
/// <c>{"code":"…","message":"…"}</c>.
/// </summary>
internal static class InfluxReply
{
    // People read these messages, and no browser takes them for HTML: an apostrophe stays one.
    private static readonly JsonWriterOptions Readable =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The most bytes of the header; the body has the whole message.</summary>
    private const int HeaderBytesMax = 512;

    public static async Task SendAsync(HttpResponse response, WriteAnswer answer, bool version2)
    {
        response.StatusCode = answer.Status;
        if (answer.RetryAfter is { } after)
        {
            response.Headers.RetryAfter = ((int)Math.Ceiling(after.TotalSeconds)).ToString(
                CultureInfo.InvariantCulture);
        }

        if (answer.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = version2 ? "Token" : "Basic realm=\"telemetry\"";
        }

        if (answer.Status is StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge)
        {
            // What is left of the body will not be read.
            response.Headers.Connection = "close";
        }

        if (answer.Message.Length == 0)
        {
            return;
        }

        if (!version2)
        {
            response.Headers["X-Influxdb-Error"] = HeaderText(answer.Message);
        }

        await SendAsync(response, json =>
        {
            if (version2)
            {
                json.WriteString("code", Code(answer.Status));
                json.WriteString("message", answer.Message);
            }
            else
            {
                json.WriteString("error", answer.Message);
            }
        });
    }

    /// <summary>What clients ask to see whether somebody is there.</summary>
    public static Task SendHealthAsync(HttpResponse response, bool ready)
    {
        response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return SendAsync(response, json =>
        {
            json.WriteString("name", "telemetry-agent");
            json.WriteString("message", ready ? "ready for writes" : "the outbox is not open at this moment");
            json.WriteString("status", ready ? "pass" : "fail");
            json.WriteStartArray("checks");
            json.WriteEndArray();
        });
    }

    /// <summary>Sends JSON as it is, and a newline as InfluxDB does.</summary>
    public static Task SendJsonAsync(HttpResponse response, string json) =>
        SendAsync(response, Encoding.UTF8.GetBytes(json + "\n"));

    private static Task SendAsync(HttpResponse response, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return SendAsync(response, buffer.WrittenMemory);
    }

    private static async Task SendAsync(HttpResponse response, ReadOnlyMemory<byte> json)
    {
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = json.Length;
        await response.Body.WriteAsync(json, response.HttpContext.RequestAborted);
    }

    // A header may hold printable ASCII alone.
    private static string HeaderText(string message)
    {
        var text = new StringBuilder(Math.Min(message.Length, HeaderBytesMax));
        foreach (var character in message.AsSpan(0, Math.Min(message.Length, HeaderBytesMax)))
        {
            text.Append(character is >= ' ' and <= '~' ? character : '?');
        }

        return text.ToString();
    }

    private static string Code(int status) => status switch
    {
        400 or 411 or 415 => "invalid",
        401 => "unauthorized",
        404 => "not found",
        405 => "method not allowed",
        408 => "request timeout",
        413 => "request too large",
        422 => "unprocessable entity",
        429 => "too many requests",
        503 => "unavailable",
        _ => "internal error",
    };
}
