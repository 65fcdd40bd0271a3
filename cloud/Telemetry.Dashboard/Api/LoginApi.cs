using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard.Access;
using Telemetry.Storage;
using Telemetry.Storage.Access;

namespace Telemetry.Dashboard.Api;

/// <summary>Sessions: they begin with a name and a password, and end by a word or after their time.</summary>
internal sealed class LoginApi(
    Login login, Visitors visitors, SessionCookie cookie, IDashboardUsers users, DashboardOptions options)
{
    /// <summary>The header in which a page shows what it may change with.</summary>
    public const string AntiforgeryHeader = "X-Antiforgery";

    /// <summary>Who asks, and what a page needs to change something.</summary>
    public static async Task SessionAsync(HttpContext context)
    {
        var visitor = Visitor.Of(context);
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("user", visitor.Name);
        json.WriteString("role", visitor.Role.ToString().ToLowerInvariant());
        json.WriteBoolean("open", visitor.Name == Visitors.OpenName);
        json.WriteString("antiforgery", visitor.Antiforgery);
        json.WriteStartArray("sites");
        foreach (var site in visitor.Limit.Sites ?? [])
        {
            json.WriteStringValue(site);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    /// <summary>
    /// Begins a session. There is none yet from which a secret could follow, but a page of a foreign site can send no
    /// header of ours at all, as nobody allows it to.
    /// </summary>
    public async Task LoginAsync(HttpContext context)
    {
        if (context.Request.Headers[AntiforgeryHeader].Count == 0)
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status400BadRequest, "Not from a page of the dashboard",
                $"the header {AntiforgeryHeader} is missing");
            return;
        }

        using var body = await JsonBody.ReadAsync(context.Request);
        var (name, password) = (body.Text("user", 512), body.Text("password", 4096));
        body.End();
        if (body.Problem is { } problem)
        {
            await Problem.AnswerAsync(context, StatusCodes.Status400BadRequest, "Not a valid login", problem);
            return;
        }

        try
        {
            await AnswerAsync(context, await login.TryAsync(
                name, password, ClientAddress.Of(context, options), context.RequestAborted));
        }
        catch (StoreException)
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "The database did not answer", "try again");
        }
    }

    /// <summary>Ends the session.</summary>
    public async Task LogoutAsync(HttpContext context)
    {
        try
        {
            if (cookie.Read(context.Request) is { } secret)
            {
                await users.EndAsync(SessionSecret.Hash(secret), context.RequestAborted);
                visitors.Forget(secret);
            }

            cookie.Remove(context.Response);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (StoreException e)
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "The database did not answer", e.Message);
        }
    }

    private Task AnswerAsync(HttpContext context, LoginOutcome outcome)
    {
        if (outcome.Secret is { } secret)
        {
            cookie.Write(context.Response, secret);
            context.Response.Headers.CacheControl = "no-store";
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        if (outcome.IsBusy)
        {
            context.Response.Headers.RetryAfter = "5";
            return Problem.AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, "Too many logins at once", "try again");
        }

        if (outcome.Wait > TimeSpan.Zero)
        {
            var seconds = Math.Ceiling(outcome.Wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            context.Response.Headers.RetryAfter = seconds;
            return Problem.AnswerAsync(
                context, StatusCodes.Status429TooManyRequests, "Too many wrong passwords",
                $"the password was not checked; try again in {seconds} s");
        }

        return Problem.AnswerAsync(
            context, StatusCodes.Status401Unauthorized, "Not logged in",
            "the name or the password is wrong, or the user is disabled");
    }
}
