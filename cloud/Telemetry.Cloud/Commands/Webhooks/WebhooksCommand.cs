using System.Globalization;
using System.Text;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage.Postgres.Alerts;

namespace Telemetry.Cloud.Commands.Webhooks;

/// <summary>
/// The command <c>webhooks</c>: lists the events that were given up, shows one, asks for another attempt or removes
/// them, beside a cloud at work. The exit code is 0 when all went well, 1 when something was not found.
/// </summary>
internal sealed class WebhooksCommand(CloudSettings settings, TextWriter output, TextWriter errors)
{
    private const int ListMax = 1000;

    public Task<int> RunAsync(WebhookArguments arguments, CancellationToken cancellationToken) =>
        OperatorCommand.RunAsync(
            settings, errors, "nothing was changed",
            database => arguments.Verb switch
            {
                "list" => ListAsync(database.WebhookDeadLetters, arguments.Webhook, cancellationToken),
                "show" => ShowAsync(database.WebhookDeadLetters, arguments.Ids[0], cancellationToken),
                "retry" => ChangeAsync(
                    "to be sent again", arguments,
                    database.WebhookDeadLetters.RetryAsync(arguments.Ids, arguments.Webhook, cancellationToken)),
                _ => ChangeAsync(
                    "discarded", arguments,
                    database.WebhookDeadLetters.DiscardAsync(arguments.Ids, arguments.Webhook, cancellationToken)),
            },
            cancellationToken);

    private async Task<int> ListAsync(
        WebhookDeadLetters letters, string? webhook, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("        id  given up at (UTC)    webhook           event; error");
        foreach (var letter in await letters.ListAsync(webhook, ListMax, cancellationToken))
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{letter.Id,10}  {letter.GivenUpAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}  {letter.Webhook,-16}  "
                + $"{letter.Event}; {OneLine(letter.Error)}{(letter.IsRetried ? " (to be sent again)" : "")}"));
        }

        return 0;
    }

    private async Task<int> ShowAsync(WebhookDeadLetters letters, long id, CancellationToken cancellationToken)
    {
        if (await letters.FindAsync([id], cancellationToken) is not [var letter])
        {
            await errors.WriteLineAsync($"dead letter {id} of a webhook does not exist");
            return OperatorCommand.GoneWrong;
        }

        await output.WriteLineAsync(Encoding.UTF8.GetString(letter.Body.Span));
        return 0;
    }

    private async Task<int> ChangeAsync(string what, WebhookArguments arguments, Task<int> change)
    {
        var changed = await change;
        await output.WriteLineAsync($"{changed} events {what}");
        return changed >= arguments.Ids.Count ? 0 : OperatorCommand.GoneWrong;
    }

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
