using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Telemetry.Inputs.LineProtocol;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Answers requests: POST /write and /api/v2/write, GET and HEAD /ping, GET /health, and of /query what clients begin
/// with. Runs on the pool's threads; a body that is whole goes to the agent's loop.
/// </summary>
internal sealed class HttpEndpoints(
    HttpInputOptions options, Func<WriteRequest, Task<WriteAnswer>> write, Func<bool> isReady, HttpCounters counters,
    TimeProvider time, ILogger log)
{
    private const string WriteV1 = "/write", WriteV2 = "/api/v2/write", KeyHeader = "Idempotency-Key";
    private const int KeyCharactersMax = 255;

    /// <summary>
    /// The version of InfluxDB whose ways of writing these are: clients read a number here, and some take it apart.
    /// </summary>
    private const string InfluxVersion = "1.8.10";

    private readonly BodyReader _bodies = new(options, counters, time);

    public async Task HandleAsync(HttpContext http)
    {
        http.Response.Headers["X-Influxdb-Version"] = InfluxVersion;
        try
        {
            await RouteAsync(http);
        }
        catch (Exception e)
            when (http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The sender has left before its answer: it was counted when it was decided.
            return;
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            HttpInputLog.RequestFailed(log, e);
            await AnswerAsync(
                http, new WriteAnswer(500, $"this is a defect of the agent: {e.Message}"), version2: true);
        }
    }

    private Task RouteAsync(HttpContext http)
    {
        var request = http.Request;
        var path = request.Path.Value?.TrimEnd('/');
        var isGet = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        switch (path)
        {
            case WriteV1 or WriteV2 when HttpMethods.IsPost(request.Method):
                return WriteAsync(http, path);
            case WriteV1 or WriteV2:
                return NotAllowedAsync(http, "POST", path == WriteV2);
            case "/ping" when isGet:
                return AnswerAsync(http, WriteAnswer.Stored, version2: false);
            case "/health" when isGet:
                counters.Answered(isReady() ? 200 : 503);
                return InfluxReply.SendHealthAsync(http.Response, isReady());
            case "/query" when isGet || HttpMethods.IsPost(request.Method):
                return QueryAsync(http);
            case "/ping" or "/health":
                return NotAllowedAsync(http, "GET, HEAD", version2: false);
            default:
                return AnswerAsync(
                    http, NothingThere, path?.StartsWith("/api/v2", StringComparison.Ordinal) == true);
        }
    }

    private static WriteAnswer NothingThere => new(
        404,
        $"only {WriteV1}, {WriteV2}, /ping and /health are here, and of /query CREATE DATABASE and SHOW DATABASES; "
        + "nothing can be queried");

    /// <summary>
    /// Clients make their database, or look for it, before they write. There is one outbox for all databases, so the
    /// one is done already, and the other finds none.
    /// </summary>
    private async Task QueryAsync(HttpContext http)
    {
        var request = http.Request;
        if (Credentials.NameOf(request, options.Tokens) is null)
        {
            await AnswerAsync(http, Unauthorized, version2: false);
            return;
        }

        var text = request.Query["q"].ToString();
        if (text.Length == 0 && request.ContentLength is > 0)
        {
            var (body, problem) = await _bodies.ReadAsync(request, http.RequestAborted);
            if (body is null)
            {
                await AnswerAsync(http, problem, version2: false);
                return;
            }

            using (body)
            {
                text = DatabaseStatements.OfForm(body.Written.Span);
            }
        }

        if (DatabaseStatements.Answer(text) is not { } answer)
        {
            await AnswerAsync(http, NothingThere, version2: false);
            return;
        }

        counters.Answered(StatusCodes.Status200OK);
        await InfluxReply.SendJsonAsync(http.Response, answer);
    }

    private static WriteAnswer Unauthorized => new(401, "unauthorized: the token is missing or unknown");

    private Task NotAllowedAsync(HttpContext http, string allowed, bool version2)
    {
        http.Response.Headers.Allow = allowed;
        return AnswerAsync(
            http, new WriteAnswer(405, $"{http.Request.Method} is not allowed here, {allowed} is"), version2);
    }

    private async Task WriteAsync(HttpContext http, string path)
    {
        var version2 = path == WriteV2;
        var answer = await DecideAsync(http, path, version2);
        await AnswerAsync(http, answer, version2);
    }

    private async Task<WriteAnswer> DecideAsync(HttpContext http, string path, bool version2)
    {
        var request = http.Request;
        if (Credentials.NameOf(request, options.Tokens) is not { } name)
        {
            return Unauthorized;
        }

        if (!TimePrecision.TryParse(request.Query["precision"].ToString(), version2, out var precision))
        {
            return new WriteAnswer(
                400, $"the precision is not one of {(version2 ? "ns, us, ms, s" : "n, u, ms, s, m, h")}");
        }

        var keys = request.Headers[KeyHeader];
        if (keys.Count > 1 || (keys.Count == 1 && keys[0] is not { Length: >= 1 and <= KeyCharactersMax }))
        {
            return new WriteAnswer(400, $"{KeyHeader} is one value of 1 to {KeyCharactersMax} characters");
        }

        var key = keys.Count == 1 ? WriteRequest.KeyOf(path, name, keys[0]!) : (UInt128?)null;
        if (request.ContentLength is null && request.Headers.TransferEncoding.Count == 0)
        {
            return new WriteAnswer(411, "a body with a Content-Length, or in chunks, is expected");
        }

        var (body, problem) = await _bodies.ReadAsync(request, http.RequestAborted);
        return body is null
            ? problem
            : await StoreAsync(
                body, new WriteRequest(body.Written, precision, key).WithBodyAsKey(path, name, options.RepeatWindow));
    }

    private async Task<WriteAnswer> StoreAsync(RequestBody body, WriteRequest request)
    {
        var answer = DisposingAsync(body, write(request));
        try
        {
            // Also when the sender has left: what it sent is stored, and a repeat with its key finds that.
            return await answer.WaitAsync(options.AnswerTimeout, time);
        }
        catch (TimeoutException)
        {
            return new WriteAnswer(
                503,
                $"not durable within {options.AnswerTimeout} (http.answerTimeout), and whether it will be is not known"
                    + (request.Key is null ? "" : $"; {request.HowToRepeat}"),
                TimeSpan.FromSeconds(1));
        }
    }

    // The loop may need the body longer than we wait.
    private static async Task<WriteAnswer> DisposingAsync(RequestBody body, Task<WriteAnswer> answer)
    {
        using (body)
        {
            return await answer;
        }
    }

    private Task AnswerAsync(HttpContext http, WriteAnswer answer, bool version2)
    {
        counters.Answered(answer.Status);
        return InfluxReply.SendAsync(http.Response, answer, version2);
    }
}
