//! What the terminal sends, as messages. The only place that knows the input library.

use crossterm::event::{Event, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent, MouseEventKind};

use crate::app::{Key, KeyCode, Msg};

/// How many lines one notch of a wheel scrolls, as most terminals do.
const NOTCH: i16 = 3;

/// What `event` means to the console, if anything.
pub fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => key_of(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(columns, rows) => Some(Msg::Resize(columns, rows)),
        Event::Mouse(MouseEvent { kind: MouseEventKind::ScrollDown, .. }) => Some(Msg::Scroll(NOTCH)),
        Event::Mouse(MouseEvent { kind: MouseEventKind::ScrollUp, .. }) => Some(Msg::Scroll(-NOTCH)),
        Event::Mouse(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn key_of(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let code = match event.code {
        Code::Char(character) => KeyCode::Character(character),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Escape,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::F(number) => KeyCode::Function(number),
        Code::Insert
        | Code::Null
        | Code::CapsLock
        | Code::ScrollLock
        | Code::NumLock
        | Code::PrintScreen
        | Code::Pause
        | Code::Menu
        | Code::KeypadBegin
        | Code::Media(_)
        | Code::Modifier(_) => return None,
    };
    Some(Key {
        code,
        control: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_letter_is_the_letter_as_typed() {
        let event = Event::Key(KeyEvent::new(Code::Char('G'), KeyModifiers::SHIFT));
        let Some(Msg::Key(key)) = message(event) else { panic!("a key press is a message") };
        assert_eq!(key, Key::character('G'));
    }

    #[test]
    fn letting_go_of_a_key_is_nothing() {
        let event = KeyEvent::new_with_kind(Code::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert!(message(Event::Key(event)).is_none());
    }
}
