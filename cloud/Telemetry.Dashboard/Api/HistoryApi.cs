using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard.Access;
using Telemetry.Dashboard.Live;
using Telemetry.Storage;
using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard.Api;

/// <summary>What the database is asked for: few questions at once, each with a limit of rows.</summary>
internal sealed class HistoryApi(
    IFleetQueries queries, FleetModel model, DashboardOptions options, TimeProvider time) : IDisposable
{
    private static readonly Dictionary<string, string> Kinds = new[] { "readings", "windows", "hour", "day" }
        .ToDictionary(kind => kind, StringComparer.Ordinal);

    private static readonly Dictionary<string, bool> Formats = new(StringComparer.Ordinal)
    {
        ["json"] = false,
        ["csv"] = true,
    };

    private static readonly Dictionary<string, bool> AlertStates = new(StringComparer.Ordinal)
    {
        ["firing"] = true,
        ["history"] = false,
    };

    private readonly SemaphoreSlim _room = new(options.QueriesMax);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    public void Dispose() => _room.Dispose();

    /// <summary>One gateway: as it is now, and what the database has of it.</summary>
    public Task GatewayAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        var limit = Visitor.Of(context).Limit;
        return AnswerAsync(context, new RequestValues(context.Request), async cancel =>
        {
            if (await queries.GatewayAsync(name, limit, cancel) is not { } stored)
            {
                return null;
            }

            using var answer = new MemoryStream();
            await using (var json = new Utf8JsonWriter(answer))
            {
                json.WriteStartObject();
                json.WritePropertyName("now");
                if (model.Find(name, limit) is { } row)
                {
                    row.Write(json);
                }
                else
                {
                    json.WriteNullValue();
                }

                json.WritePropertyName("stored");
                json.WriteRawValue(stored, skipInputValidation: true);
                json.WriteEndObject();
            }

            return answer.ToArray();
        });
    }

    /// <summary>Alerts that are firing, or the history.</summary>
    public Task AlertsAsync(HttpContext context)
    {
        var values = new RequestValues(context.Request);
        var asked = new AlertsAsked(
            values.Choice("state", true, AlertStates), values.Text("gateway"), values.Text("rule"),
            values.Time("before", Now.AddMinutes(1)), values.Number("limit", 200, 1, 1000))
        {
            Sites = Visitor.Of(context).Limit,
        };
        return AnswerAsync(context, values, cancel => queries.AlertsAsync(asked, cancel));
    }

    /// <summary>Finds series by a part of their names.</summary>
    public Task SeriesAsync(HttpContext context)
    {
        var values = new RequestValues(context.Request);
        var (gateway, search) = (values.Text("gateway"), values.Text("search") ?? "");
        var limit = values.Number("limit", 200, 1, 2000);
        var sites = Visitor.Of(context).Limit;
        return AnswerAsync(context, values, cancel => queries.SeriesAsync(gateway, search, limit, sites, cancel));
    }

    /// <summary>Values of a series: readings, windows, or the windows of hours or days.</summary>
    public Task ValuesAsync(HttpContext context)
    {
        var values = new RequestValues(context.Request);
        var to = values.Time("to", Now);
        var asked = new ValuesAsked(
            int.Parse((string)context.Request.RouteValues["series"]!, null),
            values.Choice("kind", "windows", Kinds), values.Time("from", to.AddHours(-6)), to,
            values.Number("limit", 5000, 1, 20_000))
        {
            Sites = Visitor.Of(context).Limit,
        };
        var csv = values.Choice("format", false, Formats);
        return AnswerAsync(context, values, async cancel =>
        {
            var found = await queries.ValuesAsync(asked, cancel);
            if (found is null || !csv)
            {
                return found;
            }

            context.Response.ContentType = "text/csv; charset=utf-8";
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"series-{asked.Series}.csv\"";
            using var parsed = JsonDocument.Parse(found);
            return Encoding.UTF8.GetBytes(CsvText.Of(parsed.RootElement.GetProperty("values")));
        });
    }

    /// <summary>The books of gateways, and their sum.</summary>
    public Task BooksAsync(HttpContext context)
    {
        var values = new RequestValues(context.Request);
        var (after, limit) = (values.Text("after") ?? "", values.Number("limit", 200, 1, 1000));
        var sites = Visitor.Of(context).Limit;
        return AnswerAsync(context, values, cancel => queries.BooksAsync(after, limit, sites, cancel));
    }

    /// <summary>The books by day.</summary>
    public Task DaysAsync(HttpContext context)
    {
        var values = new RequestValues(context.Request);
        var (gateway, days) = (values.Text("gateway"), values.Number("days", 14, 1, 366));
        var sites = Visitor.Of(context).Limit;
        return AnswerAsync(context, values, cancel => queries.DaysAsync(gateway, days, sites, cancel));
    }

    /// <summary>
    /// Partitions, lag, letters, the relay and the database: sums over all sites, for those who may see all of them.
    /// </summary>
    public Task PipelineAsync(HttpContext context) => Visitor.Of(context).Limit.IsNone
        ? AnswerAsync(context, new RequestValues(context.Request), queries.PipelineAsync)
        : Problem.AnswerAsync(
            context, StatusCodes.Status403Forbidden, "Not for users of some sites",
            "the pipeline is shown to those who may see all sites");

    private async Task AnswerAsync(
        HttpContext context, RequestValues values, Func<CancellationToken, Task<byte[]?>> ask)
    {
        values.End();
        if (values.Problem is { } problem)
        {
            await Problem.AnswerAsync(context, StatusCodes.Status400BadRequest, "Not a valid question", problem);
            return;
        }

        if (!await _room.WaitAsync(TimeSpan.Zero, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "2";
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "Too many questions at once",
                $"{options.QueriesMax} questions to the database are being answered");
            return;
        }

        try
        {
            context.Response.Headers.CacheControl = "no-store";
            if (await ask(context.RequestAborted) is not { } answer)
            {
                await Problem.AnswerAsync(
                    context, StatusCodes.Status404NotFound, "Not found", "the database has nothing of that name");
                return;
            }

            context.Response.ContentType ??= "application/json";
            context.Response.ContentLength = answer.Length;
            await context.Response.Body.WriteAsync(answer, context.RequestAborted);
        }
        catch (StoreException e)
        {
            context.Response.Headers.RetryAfter = "5";
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "The database did not answer", e.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer any more.
        }
        finally
        {
            _room.Release();
        }
    }
}
