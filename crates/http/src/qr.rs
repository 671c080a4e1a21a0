//! QR codes, drawn: as SVG, in pixels, and as squares within a page.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::problem::Problem;

/// Pixels of one module of a QR code.
const MODULE_PIXELS: u32 = 8;
/// Modules of white around a QR code, as ISO/IEC 18004 asks for.
const QUIET_MODULES: u32 = 4;

/// A picture of a text as SVG.
pub(crate) fn svg(text: &str) -> Result<Response, Problem> {
    let picture = code_of(text)?.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    Ok(shown("image/svg+xml", picture.into_bytes()))
}

/// A picture of a text in pixels, for mails.
pub(crate) fn png(text: &str) -> Result<Response, Problem> {
    let picture = pixels(&code_of(text)?).map_err(|error| {
        tracing::error!(%error, "a QR code could not be drawn");
        Problem::fault()
    })?;
    Ok(shown("image/png", picture))
}

fn code_of(text: &str) -> Result<QrCode, Problem> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| {
        tracing::error!(%error, "a QR code could not be made");
        Problem::fault()
    })
}

/// A QR code as one path of squares to be drawn within a page, and how many squares it is wide with the white around it.
pub(crate) fn squares(text: &str) -> Option<(String, usize)> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, quiet) = (code.width(), QUIET_MODULES as usize);
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == qrcode::Color::Dark);
    let path = dark.map(|(place, _)| format!("M{} {}h1v1h-1z", place % width + quiet, place / width + quiet));
    Some((path.collect(), width + 2 * quiet))
}

/// The QR code in shades of grey, one byte a pixel.
fn pixels(code: &QrCode) -> Result<Vec<u8>, png::EncodingError> {
    let modules = u32::try_from(code.width()).unwrap_or(0);
    let side = (modules + 2 * QUIET_MODULES) * MODULE_PIXELS;
    let colors = code.to_colors();
    let is_dark = |x: u32, y: u32| {
        let place = |at: u32| (at / MODULE_PIXELS).checked_sub(QUIET_MODULES).filter(|at| *at < modules);
        let place = place(x).zip(place(y)).map(|(x, y)| (y * modules + x) as usize);
        place.is_some_and(|place| colors[place] == qrcode::Color::Dark)
    };
    let rows = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let shades: Vec<u8> = rows.map(|(x, y)| if is_dark(x, y) { 0 } else { 255 }).collect();
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&shades)?;
    writer.finish()?;
    Ok(picture)
}

/// A picture of a secret: nobody on the way keeps it.
fn shown(kind: &'static str, picture: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, no-store")];
    (StatusCode::OK, headers, picture).into_response()
}
