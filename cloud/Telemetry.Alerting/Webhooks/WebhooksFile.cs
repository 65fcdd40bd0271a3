using System.Text;
using System.Text.Json;
using Telemetry.Alerting.Routes;
using Telemetry.Runtime.Settings;

namespace Telemetry.Alerting.Webhooks;

/// <summary>
/// Reads a file of webhooks: JSON, in which comments are allowed; deploy/webhooks.json shows every key. All problems
/// are reported at once, by webhook and key. A file with one wrong webhook gives none at all.
/// </summary>
public static class WebhooksFile
{
    /// <summary>The most webhooks of a file.</summary>
    public const int WebhooksMax = 64;

    /// <summary>The shortest secret, in bytes.</summary>
    public const int SecretBytesMin = 16;

    private const int PerMinuteMax = 100_000;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Day = TimeSpan.FromDays(1);

    /// <summary>
    /// Reads a file, and the secrets that it names; null when there are problems. <paramref name="keep"/> is how long
    /// the alert outbox keeps its rows.
    /// </summary>
    public static IReadOnlyList<Webhook>? Read(
        string path, TimeSpan keep, out IReadOnlyList<string> problems) => JsonFile.Read<List<Webhook>>(
            path, (root, name, found) => Read(root, name, keep, found), out problems);

    private static List<Webhook> Read(JsonElement root, string name, TimeSpan keep, List<string> problems)
    {
        var file = new JsonKeys(root, name, problems);
        var elements = file.List("webhooks");
        file.End();
        if (elements.Count > WebhooksMax)
        {
            problems.Add($"{name}: webhooks: has {elements.Count} webhooks; use at most {WebhooksMax}");
            return [];
        }

        var webhooks = new List<Webhook>();
        for (var i = 0; i < elements.Count; i++)
        {
            var keys = new JsonKeys(elements[i], $"{name}: webhook {i + 1}", problems);
            var webhook = Read(keys, keep);
            keys.End();
            if (webhooks.FindIndex(w => w.Name == webhook.Name) is >= 0 and var same)
            {
                keys.Problem("name", $"is already the name of webhook {same + 1}; use each name once");
            }

            webhooks.Add(webhook);
        }

        return webhooks;
    }

    private static Webhook Read(JsonKeys keys, TimeSpan keep)
    {
        var match = keys.Has("match") ? TransitionMatchKeys.Read(keys.Child("match")) : new TransitionMatch();
        var webhook = new Webhook
        {
            Name = keys.Text("name") ?? "",
            Url = Url(keys),
            Secrets = Secrets(keys),
            Match = keys.Flag("lateToo") ? match : match with { Late = match.Late ?? false },
            PerMinute = PerMinute(keys),
            GiveUpAfter = keys.Span("giveUpAfter", keep < Day ? keep : Day, Second, keep),
            Timeout = keys.Span("timeout", 10 * Second, Second, 20 * Second),
        };
        if (webhook.Name.Length is 0 or > 64 || webhook.Name.Any(char.IsControl))
        {
            keys.Problem("name", "is missing or not allowed; use 1 to 64 characters");
        }

        return webhook;
    }

    private static Uri Url(JsonKeys keys)
    {
        if (Uri.TryCreate(keys.Text("url"), UriKind.Absolute, out var url)
            && url is { Scheme: "http" or "https", UserInfo: "" })
        {
            return url;
        }

        keys.Problem("url", "is missing or not allowed; use http:// or https://, without a user in it");
        return new Uri("http://127.0.0.1/");
    }

    private static List<byte[]> Secrets(JsonKeys keys)
    {
        if (keys.Text("secretFile") is not { } file)
        {
            keys.Problem("secretFile", "is missing; name a file with a secret a line");
            return [];
        }

        try
        {
            var secrets = File.ReadAllLines(file).Where(l => l.Length > 0).Select(Encoding.UTF8.GetBytes).ToList();
            if (secrets.Count is 0 or > 4 || secrets.Exists(s => s.Length < SecretBytesMin))
            {
                keys.Problem("secretFile", $"has to have 1 to 4 lines of at least {SecretBytesMin} bytes");
            }

            return secrets;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            keys.Problem("secretFile", $"cannot be read: {e.Message}");
            return [];
        }
    }

    private static int PerMinute(JsonKeys keys)
    {
        var number = keys.Number("perMinute") ?? 30;
        if (number is >= 0 and <= PerMinuteMax && number == Math.Floor(number))
        {
            return (int)number;
        }

        keys.Problem("perMinute", $"is not allowed; use a whole number from 0 to {PerMinuteMax}");
        return 0;
    }
}
