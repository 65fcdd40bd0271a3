using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard.Access;
using Telemetry.Storage;
using Telemetry.Storage.Acts;

namespace Telemetry.Dashboard.Api;

/// <summary>What people do: each act is one transaction with its row of the audit.</summary>
internal sealed class ActsApi(IOperatorActs acts, TimeProvider time)
{
    /// <summary>The longest silence.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromDays(30);

    private const int TextMax = 2000, AlertIdLength = 32;

    private static readonly string[] Matched = ["rule", "severity", "gateway", "device", "metric", "site"];

    /// <summary>The silences that hold now.</summary>
    public Task SilencesAsync(HttpContext context) => RunAsync(context, async actor =>
    {
        var found = await acts.SilencesAsync(actor.Limit, context.RequestAborted);
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(found, context.RequestAborted);
    });

    /// <summary>Acknowledges an alert as it was seen.</summary>
    public async Task AcknowledgeAsync(HttpContext context)
    {
        using var body = await JsonBody.ReadAsync(context.Request);
        var (comment, revision) = (body.Text("comment", TextMax), body.Number("revision"));
        body.End();
        if (!TryReadAlert((string)context.Request.RouteValues["id"]!, out var alert))
        {
            body.Wrong($"the alert's id is not of {AlertIdLength} hexadecimal digits");
        }

        await RunAsync(context, body, async actor => await AnswerAsync(context, await acts.AcknowledgeAsync(
            actor, alert, revision, comment, CancellationToken.None)));
    }

    /// <summary>Silences what a matcher matches.</summary>
    public async Task SilenceAsync(HttpContext context)
    {
        using var body = await JsonBody.ReadAsync(context.Request);
        var (matcher, reason, until) = (body.Object("matcher"), body.Text("reason", TextMax), body.Time("until"));
        body.End();
        var now = time.GetUtcNow().UtcDateTime;
        if (until <= now || until > now + SilenceMax)
        {
            body.Wrong($"until is not within {SilenceMax.Days} days from now");
        }

        var read = matcher is { } given ? Matcher(given, body) : [];
        await RunAsync(context, body, async actor =>
        {
            // Not to be cancelled: nobody would know what came of it.
            var id = await acts.SilenceAsync(actor, new Silence(read, reason, until), CancellationToken.None);
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(
                string.Create(CultureInfo.InvariantCulture, $$"""{"id":{{id}}}"""), context.RequestAborted);
        });
    }

    /// <summary>Ends a silence.</summary>
    public Task EndSilenceAsync(HttpContext context) => RunAsync(context, async actor => await AnswerAsync(
        context, await acts.EndSilenceAsync(actor, Id(context), CancellationToken.None)));

    /// <summary>Stores a dead letter again.</summary>
    public Task RetryAsync(HttpContext context) => RunAsync(context, async actor => await AnswerAsync(
        context, await acts.RetryAsync(actor, Id(context), CancellationToken.None)));

    private static long Id(HttpContext context) =>
        long.Parse((string)context.Request.RouteValues["id"]!, CultureInfo.InvariantCulture);

    private static bool TryReadAlert(string text, out byte[] alert)
    {
        alert = new byte[AlertIdLength / 2];
        return text.Length == AlertIdLength
            && Convert.FromHexString(text, alert, out _, out var written) == System.Buffers.OperationStatus.Done
            && written == alert.Length;
    }

    private static byte[] Matcher(JsonElement given, JsonBody body)
    {
        using var matcher = new MemoryStream();
        var properties = 0;
        using (var json = new Utf8JsonWriter(matcher))
        {
            json.WriteStartObject();
            foreach (var property in given.EnumerateObject())
            {
                properties++;
                if (property.Name == "labels" && property.Value.ValueKind == JsonValueKind.Object)
                {
                    json.WriteStartObject("labels");
                    foreach (var label in property.Value.EnumerateObject())
                    {
                        Write(json, label, body);
                    }

                    json.WriteEndObject();
                }
                else if (Matched.Contains(property.Name))
                {
                    Write(json, property, body);
                }
                else
                {
                    body.Wrong($"matcher has {string.Join(", ", Matched)} and labels alone");
                }
            }

            json.WriteEndObject();
        }

        if (properties == 0)
        {
            body.Wrong("matcher is empty: it would silence everything");
        }

        return matcher.ToArray();
    }

    private static void Write(Utf8JsonWriter json, JsonProperty property, JsonBody body)
    {
        if (property.Value.ValueKind == JsonValueKind.String && JsonBody.Decoded(property.Value) is { Length: > 0 } text
            && !(text + property.Name).Contains('\0', StringComparison.Ordinal))
        {
            json.WriteString(property.Name, text);
        }
        else
        {
            body.Wrong("matcher has texts alone");
        }
    }

    private static Task AnswerAsync(HttpContext context, ActOutcome outcome)
    {
        switch (outcome.Result)
        {
            case ActResult.NotFound:
                return Problem.AnswerAsync(
                    context, StatusCodes.Status404NotFound, "Not found", "the database has nothing of that id");
            case ActResult.Conflict:
                return Problem.AnswerAsync(
                    context, StatusCodes.Status409Conflict, "Not any more as it was seen", outcome.Why);
            default:
                context.Response.ContentType = "application/json";
                return context.Response.WriteAsync("{}", context.RequestAborted);
        }
    }

    private static async Task RunAsync(HttpContext context, JsonBody body, Func<Actor, Task> act)
    {
        if (body.Problem is { } problem)
        {
            await Problem.AnswerAsync(context, StatusCodes.Status400BadRequest, "Not a valid act", problem);
            return;
        }

        await RunAsync(context, act);
    }

    private static async Task RunAsync(HttpContext context, Func<Actor, Task> act)
    {
        try
        {
            var visitor = Visitor.Of(context);
            await act(new Actor(visitor.Name, visitor.Limit));
        }
        catch (StoreException e)
        {
            context.Response.Headers.RetryAfter = "5";
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "The database did not answer", e.Message);
        }
    }
}
